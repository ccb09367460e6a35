"""Streams as `kurrentdbclient` sees them. Takes the address of a server."""

import json
import sys
from uuid import uuid4

import kurrentdbclient
from kurrentdbclient import KurrentDBClient, NewEvent, StreamState
from kurrentdbclient.exceptions import (
    FailedPreconditionError,
    GrpcDeadlineExceededError,
    NotFoundError,
    StreamIsDeletedError,
    WrongCurrentVersionError,
)

address = sys.argv[1]
client = KurrentDBClient(f"kurrentdb://{address}?tls=false")


def event(type="OrderCreated", data=b'{"a": 1}', **more):
    return NewEvent(type=type, data=data, **more)


def name(category="order"):
    return f"{category}-{uuid4()}"


def refused(error, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error as failure:
        return failure
    raise AssertionError(f"{call} did not fail with {error}")


def appends_know_the_version():
    stream = name()
    first, second = event(), event("OrderPaid", metadata=b'{"who": "me"}')
    missing = refused(
        WrongCurrentVersionError, client.append_to_stream, stream, current_version=1, events=[first]
    )
    assert missing.actual_version is StreamState.NO_STREAM, missing
    refused(
        WrongCurrentVersionError,
        client.append_to_stream,
        stream,
        current_version=StreamState.EXISTS,
        events=[first],
    )
    position = client.append_to_stream(
        stream, current_version=StreamState.NO_STREAM, events=[first, second]
    )
    wrong = refused(
        WrongCurrentVersionError, client.append_to_stream, stream, current_version=0, events=[event()]
    )
    assert wrong.actual_version == 1 and wrong.expected_version == 0, wrong
    again = client.append_to_stream(
        stream, current_version=StreamState.NO_STREAM, events=[first, second]
    )
    assert again == position, "an append that is tried again does nothing"
    third = client.append_to_stream(stream, current_version=1, events=[event()])
    assert third == position + 1
    assert client.get_current_version(stream) == 2
    assert client.get_commit_position() == third


def events_come_back_as_they_were():
    stream = name()
    events = [
        event("Json", b'{"b":  [1, 2.50, "\xc3\xa9"]}', metadata=b'{ "m" : 1}'),
        event("Bytes", bytes(range(256)), metadata=b"\xff\x00", content_type="application/octet-stream"),
        event("Empty", b"", content_type="application/octet-stream"),
        event("JsonAsBytes", b"[1]", content_type="application/octet-stream"),
    ]
    client.append_to_stream(stream, current_version=StreamState.ANY, events=events)
    read = client.get_stream(stream)
    assert len(read) == 4
    for position, (was, got) in enumerate(zip(events, read)):
        assert (got.id, got.type, got.data) == (was.id, was.type, was.data)
        assert (got.metadata, got.content_type) == (was.metadata, was.content_type)
        assert (got.stream_name, got.stream_position) == (stream, position)
        assert got.commit_position == got.prepare_position
        assert got.recorded_at.year > 2000


def streams_are_read_both_ways():
    stream = name()
    events = [event(f"E{number}") for number in range(1200)]
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=events)

    def types(**how):
        return [int(read.type[1:]) for read in client.get_stream(stream, **how)]

    assert types() == list(range(1200))
    assert types(backwards=True) == list(reversed(range(1200)))
    assert types(stream_position=1190) == list(range(1190, 1200))
    assert types(stream_position=3, backwards=True) == [3, 2, 1, 0]
    assert types(stream_position=1, limit=2) == [1, 2]
    assert types(backwards=True, limit=1) == [1199]
    assert types(stream_position=5000) == []
    assert types(stream_position=5000, backwards=True, limit=1) == [1199]
    refused(NotFoundError, client.get_stream, name())
    assert client.get_current_version(name()) is StreamState.NO_STREAM


def all_is_read_both_ways():
    start = client.append_to_stream(name(), current_version=StreamState.ANY, events=[event("Start")])
    orders, bills = name("order"), name("bill")
    for number in range(3):
        client.append_to_stream(orders, current_version=StreamState.ANY, events=[event(f"Order{number}")])
        client.append_to_stream(bills, current_version=StreamState.ANY, events=[event(f"Bill{number}")])

    def types(**how):
        return [read.type for read in client.read_all(**{"commit_position": start, **how})]

    six = ["Order0", "Bill0", "Order1", "Bill1", "Order2", "Bill2"]
    assert types() == ["Start", *six], "the event at the position is part of it"
    assert types(limit=2) == ["Start", "Order0"]
    backwards = types(commit_position=start + 3, backwards=True, limit=2)
    assert backwards == ["Bill0", "Order0"], "backwards the event at the position is not part of it"
    assert types(commit_position=None, backwards=True, limit=2) == ["Bill2", "Order2"]
    assert types(filter_include=["Order.*"]) == six[::2]
    assert types(filter_include=["Order0", "Bill1"]) == ["Order0", "Bill1"]
    assert types(filter_exclude=["Order.*", "Start"]) == six[1::2]
    assert types(filter_include=["bill-.*"], filter_by_stream_name=True) == six[1::2]
    assert types(filter_include=["Bi", "Sta"], filter_by_prefix=True) == ["Start", *six[1::2]]
    assert types(filter_include=["Bill.*"], limit=2) == ["Bill0", "Bill1"]
    assert types(filter_exclude=[]) == ["Start", *six]


def streams_have_metadata():
    stream = name()
    assert client.get_stream_metadata(stream) == ({}, StreamState.NO_STREAM)
    client.append_to_stream(stream, current_version=StreamState.ANY, events=[event(f"E{i}") for i in range(5)])
    client.set_stream_metadata(stream, metadata={"foo": "bar"}, current_version=StreamState.NO_STREAM)
    metadata, version = client.get_stream_metadata(stream)
    assert (metadata, version) == ({"foo": "bar"}, 0)
    client.set_stream_metadata(stream, metadata={"$maxCount": 2}, current_version=version)
    assert [read.type for read in client.get_stream(stream)] == ["E3", "E4"]
    assert [read.type for read in client.get_stream(stream, backwards=True)] == ["E4", "E3"]
    refused(
        WrongCurrentVersionError, client.set_stream_metadata, stream, metadata={}, current_version=0
    )
    client.set_stream_metadata(stream, metadata={"$maxAge": 1000, "$tb": 1})
    assert [read.type for read in client.get_stream(stream)] == ["E1", "E2", "E3", "E4"]
    assert not [read for read in client.read_all() if read.type.startswith("$")]
    assert [read for read in client.read_all(filter_exclude=[]) if read.type == "$metadata"]


def streams_are_deleted():
    stream = name()
    refused(NotFoundError, client.delete_stream, stream, current_version=StreamState.ANY)
    refused(NotFoundError, client.delete_stream, stream, current_version=StreamState.EXISTS)
    refused(NotFoundError, client.delete_stream, stream, current_version=StreamState.NO_STREAM)
    refused(NotFoundError, client.delete_stream, stream, current_version=1)
    refused(NotFoundError, client.tombstone_stream, stream, current_version=StreamState.EXISTS)
    client.append_to_stream(stream, current_version=StreamState.ANY, events=[event("A"), event("B")])
    refused(WrongCurrentVersionError, client.delete_stream, stream, current_version=0)
    client.delete_stream(stream, current_version=1)
    refused(WrongCurrentVersionError, client.delete_stream, stream, current_version=0)
    refused(StreamIsDeletedError, client.delete_stream, stream, current_version=StreamState.EXISTS)
    client.delete_stream(stream, current_version=1)
    client.delete_stream(stream, current_version=StreamState.ANY)
    refused(NotFoundError, client.get_stream, stream)
    assert client.get_current_version(stream) is StreamState.NO_STREAM
    refused(
        WrongCurrentVersionError, client.append_to_stream, stream, current_version=0, events=[event()]
    )
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=[event("C")])
    (read,) = client.get_stream(stream)
    assert (read.type, read.stream_position) == ("C", 2)


def streams_are_closed_for_ever():
    stream = name()
    client.append_to_stream(stream, current_version=StreamState.ANY, events=[event(), event()])
    refused(WrongCurrentVersionError, client.tombstone_stream, stream, current_version=0)
    client.tombstone_stream(stream, current_version=1)
    for call in (
        lambda: client.get_stream(stream),
        lambda: client.append_to_stream(stream, current_version=StreamState.ANY, events=[event()]),
        lambda: client.tombstone_stream(stream, current_version=StreamState.ANY),
        lambda: client.delete_stream(stream, current_version=StreamState.ANY),
        lambda: client.get_stream_metadata(stream),
        lambda: client.subscribe_to_stream(stream),
    ):
        refused(StreamIsDeletedError, call)
    # The client maps the same status of a call with one event to another exception.
    refused(FailedPreconditionError, client.append_event, stream, current_version=1, event=event())
    refused(FailedPreconditionError, client.set_stream_metadata, stream, metadata={})
    unused = name()
    client.tombstone_stream(unused, current_version=StreamState.ANY)
    refused(StreamIsDeletedError, client.get_stream, unused)


def deadlines_hold():
    with client.subscribe_to_all(from_end=True, timeout=0.5) as subscription:
        refused(GrpcDeadlineExceededError, lambda: list(subscription))


def the_server_is_found():
    members = client.read_gossip()
    assert [member.state for member in members] == ["NODE_STATE_LEADER"], members
    host, port = address.rsplit(":", 1)
    assert (members[0].address, members[0].port) == (host, int(port))
    discovering = KurrentDBClient(f"kurrentdb+discover://{address}?tls=false")
    assert discovering.get_commit_position() > 0
    discovering.close()


for check in (
    appends_know_the_version,
    events_come_back_as_they_were,
    streams_are_read_both_ways,
    all_is_read_both_ways,
    streams_have_metadata,
    streams_are_deleted,
    streams_are_closed_for_ever,
    deadlines_hold,
    the_server_is_found,
):
    check()
    print("ok", check.__name__, flush=True)
client.close()
