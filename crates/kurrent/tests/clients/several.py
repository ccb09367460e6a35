"""Appends to several streams as `kurrentdbclient` makes them. Takes the address of a server."""

import sys
from uuid import uuid4

from kurrentdbclient import KurrentDBClient, NewEvent, NewEvents, StreamState
from kurrentdbclient.events import NewRecord, StreamStateCheck
from kurrentdbclient.exceptions import (
    ConsistencyChecksFailedError,
    MultiAppendToSameStreamError,
    RecordMaxSizeExceededError,
    StreamTombstonedError,
    TransactionMaxSizeExceededError,
    WrongCurrentVersionError,
)

address = sys.argv[1]
client = KurrentDBClient(f"kurrentdb://{address}?tls=false")


def name(category="order"):
    return f"{category}-{uuid4()}"


def event(type, data=b"{}", **more):
    return NewEvent(type=type, data=data, **more)


def types(stream):
    return [read.type for read in client.get_stream(stream)]


def refused(error, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error as failure:
        return failure
    raise AssertionError(f"{call} did not fail with {error}")


def several(*appends):
    return client.multi_append_to_stream(
        [
            NewEvents(stream_name=stream, current_version=version, events=events)
            for stream, version, events in appends
        ]
    )


def all_or_none_are_appended():
    one, two = name(), name()
    position = several(
        (one, StreamState.NO_STREAM, [event("A"), event("B", metadata=b'{"who": "me"}')]),
        (two, StreamState.ANY, [event("C", data=b"\xff", content_type="application/octet-stream")]),
    )
    assert position == client.get_commit_position()
    assert (types(one), types(two)) == (["A", "B"], ["C"])
    assert client.get_stream(one)[1].metadata in (b'{"who":"me"}', b'{"who": "me"}')
    (binary,) = client.get_stream(two)
    assert (binary.data, binary.metadata, binary.content_type) == (b"\xff", b"", "application/octet-stream")
    wrong = refused(
        WrongCurrentVersionError, several, (one, 1, [event("D")]), (two, 5, [event("E")])
    )
    assert (wrong.stream_name, wrong.expected_version, wrong.actual_version) == (two, 5, 0), wrong
    assert (types(one), types(two)) == (["A", "B"], ["C"])


def what_cannot_be_is_named():
    one, closed = name(), name("closed")
    any = StreamState.ANY
    refused(MultiAppendToSameStreamError, several, (one, any, [event("A")]), (one, any, [event("B")]))
    client.tombstone_stream(closed, current_version=any)
    gone = refused(StreamTombstonedError, several, (one, any, [event("A")]), (closed, any, [event("B")]))
    assert gone.stream_name == closed
    large = event("Large", data=b"x" * (2 << 20))
    size = refused(RecordMaxSizeExceededError, several, (one, any, [large]))
    assert (size.stream_name, size.event_id, size.max_size) == (one, large.id, 1 << 20), size
    many = [event("Big", data=b"x" * 1_000_000) for _ in range(17)]
    refused(TransactionMaxSizeExceededError, several, *((name(), any, [big]) for big in many))


def records_go_to_streams_in_any_order():
    one, two, other = name(), name(), name()
    client.append_to_stream(other, current_version=StreamState.ANY, events=[event("X")])

    def record(stream, type):
        return NewRecord(stream_name=stream, type=type, data=b"{}")

    result = client.append_records(
        [record(one, "A"), record(two, "B"), record(one, "C")],
        checks=[StreamStateCheck(other, 0), StreamStateCheck(one, StreamState.NO_STREAM)],
    )
    assert result.commit_position == client.get_commit_position()
    positions = {place.stream_name: place.stream_position for place in result.stream_positions}
    assert positions == {one: 1, two: 0}, positions
    assert (types(one), types(two)) == (["A", "C"], ["B"])
    failed = refused(
        ConsistencyChecksFailedError,
        client.append_records,
        [record(two, "D")],
        checks=[StreamStateCheck(one, StreamState.EXISTS), StreamStateCheck(other, 7)],
    )
    (failure,) = failed.failures
    assert failure.check_index == 1, failure
    assert failure.stream_state_failure.stream_name == other
    assert failure.stream_state_failure.actual_state == 0
    assert types(two) == ["B"]


for check in (
    all_or_none_are_appended,
    what_cannot_be_is_named,
    records_go_to_streams_in_any_order,
):
    check()
    print("ok", check.__name__, flush=True)
client.close()
