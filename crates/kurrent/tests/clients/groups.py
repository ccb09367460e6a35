"""Persistent subscriptions as `kurrentdbclient` sees them. Takes the address of a server."""

import sys
import time
from uuid import uuid4

from kurrentdbclient import KurrentDBClient, NewEvent, StreamState
from kurrentdbclient.exceptions import (
    AlreadyExistsError,
    CancelledError,
    MaximumSubscriptionsReachedError,
    NotFoundError,
)

address = sys.argv[1]
client = KurrentDBClient(f"kurrentdb://{address}?tls=false&connectionName=worker-7")


def name(category="order"):
    return f"{category}-{uuid4()}"


def append(stream, *types):
    events = [NewEvent(type=type, data=b"{}") for type in types]
    return client.append_to_stream(stream, current_version=StreamState.ANY, events=events)


def refused(error, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error as failure:
        return failure
    raise AssertionError(f"{call} did not fail with {error}")


def take(consumer, count, then=lambda consumer, event: consumer.ack(event)):
    taken = []
    for event in consumer:
        then(consumer, event)
        taken.append(event.type)
        if len(taken) == count:
            return taken


def eventually(holds):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.02)


def a_stream_is_consumed():
    stream, group = name(), name("mails")
    append(stream, "A", "B", "C")
    client.create_subscription_to_stream(group, stream)
    refused(AlreadyExistsError, client.create_subscription_to_stream, group, stream)
    with client.read_subscription_to_stream(group, stream) as consumer:
        assert consumer.subscription_id == f"{stream}::{group}"
        first = next(consumer)
        assert (first.type, first.retry_count, first.stream_position) == ("A", 0, 0)
        consumer.ack(first)
        assert take(consumer, 2) == ["B", "C"]
        append(stream, "D")
        assert take(consumer, 1) == ["D"]
        consumer.stop()
    # Who comes next goes on where the last stopped.
    info = lambda: client.get_subscription_info(group, stream)
    eventually(lambda: info().last_checkpointed_event_position == "3")
    append(stream, "E")
    with client.read_subscription_to_stream(group, stream) as consumer:
        assert take(consumer, 1) == ["E"]
        consumer.stop()


def groups_start_where_they_are_told():
    stream = name()
    start = append(stream, "A")
    append(stream, "B", "C")

    def first(group, read, **how):
        with read(group, **how) as consumer:
            (taken,) = take(consumer, 1)
            consumer.stop()
            return taken

    group = name("from-revision")
    client.create_subscription_to_stream(group, stream, stream_position=1)
    assert first(group, client.read_subscription_to_stream, stream_name=stream) == "B"
    group = name("from-end")
    client.create_subscription_to_stream(group, stream, from_end=True)
    append(stream, "D")
    assert first(group, client.read_subscription_to_stream, stream_name=stream) == "D"
    group = name("from-position")
    client.create_subscription_to_all(group, commit_position=start)
    assert first(group, client.read_subscription_to_all) == "A"
    group = name("from-end-of-all")
    client.create_subscription_to_all(group, from_end=True)
    append(stream, "E")
    assert first(group, client.read_subscription_to_all) == "E"


def all_is_consumed_with_filters():
    end = client.get_commit_position(filter_exclude=[])
    orders, bills = name("order"), name("bill")
    for how, wanted in (
        ({"filter_include": ["Order.*"]}, ["Order0", "Order1"]),
        ({"filter_exclude": [r"\$.+", "Order.*"]}, ["Bill0", "Bill1"]),
        ({"filter_include": ["bill-.*"], "filter_by_stream_name": True}, ["Bill0", "Bill1"]),
    ):
        group = name("some")
        position = append(name("quiet"), "Order?")
        client.create_subscription_to_all(group, from_end=True, **how)
        for number in range(2):
            append(orders, f"Order{number}")
            client.set_stream_metadata(orders, metadata={"foo": number})
            append(bills, f"Bill{number}")
        with client.read_subscription_to_all(group) as consumer:
            assert take(consumer, 2) == wanted, (how, position, end)
            consumer.stop()
        assert client.get_subscription_info(group).event_source == "$all"


def events_are_retried_parked_skipped_and_replayed():
    stream, group = name(), name("work")
    client.create_subscription_to_stream(group, stream, max_retry_count=2)
    append(stream, "Retried", "Parked", "Skipped", "Good")
    tries, seen = [], set()
    with client.read_subscription_to_stream(group, stream, max_ack_delay=0.01) as consumer:
        for event in consumer:
            seen.add(event.type)
            match event.type:
                case "Retried":
                    tries.append(event.retry_count)
                    consumer.nack(event, "retry")
                case "Parked":
                    consumer.nack(event, "park")
                case "Skipped":
                    consumer.nack(event, "skip")
                case "Good":
                    consumer.ack(event)
            if len(tries) == 3 and len(seen) == 4:
                break
        assert tries == [0, 1, 2], tries
        parked = lambda: client.get_subscription_info(group, stream).parked_message_count
        eventually(lambda: parked() == 2)
        client.replay_parked_events(group, stream)
        replayed = sorted(take(consumer, 2))
        assert replayed == ["Parked", "Retried"], replayed
        eventually(lambda: parked() == 0)
        consumer.stop()


def an_event_without_answer_comes_again():
    stream, group = name(), name("slow")
    client.create_subscription_to_stream(group, stream, message_timeout=0.2)
    append(stream, "A")
    with client.read_subscription_to_stream(group, stream, event_buffer_size=1) as consumer:
        assert next(consumer).retry_count == 0
        event = next(consumer)
        assert event.retry_count == 1
        consumer.ack(event)
        consumer.stop()


def consumers_compete():
    stream, group = name(), name("pool")
    client.create_subscription_to_stream(
        group, stream, consumer_strategy="RoundRobin", max_subscriber_count=2
    )
    first = client.read_subscription_to_stream(group, stream)
    second = client.read_subscription_to_stream(group, stream)
    refused(MaximumSubscriptionsReachedError, client.read_subscription_to_stream, group, stream)
    append(stream, *[f"E{number}" for number in range(10)])
    taken = take(first, 5) + take(second, 5)
    assert sorted(taken) == [f"E{number}" for number in range(10)], taken
    info = client.get_subscription_info(group, stream)
    assert [connection.connection_name for connection in info.connections] == ["worker-7"] * 2
    first.stop()
    second.stop()


def groups_are_listed_changed_and_removed():
    stream, group, other = name(), name("group"), name("other")
    refused(NotFoundError, client.get_subscription_info, group, stream)
    refused(NotFoundError, client.read_subscription_to_stream, group, stream)
    refused(NotFoundError, client.update_subscription_to_stream, group, stream)
    refused(NotFoundError, client.delete_subscription, group, stream)
    refused(NotFoundError, client.replay_parked_events, group, stream)
    client.create_subscription_to_stream(group, stream)
    client.create_subscription_to_all(other)
    info = client.get_subscription_info(group, stream)
    assert (info.group_name, info.event_source, info.start_from) == (group, stream, "0")
    assert (info.consumer_strategy, info.message_timeout) == ("DispatchToSingle", 30.0)
    assert (info.max_retry_count, info.max_subscriber_count) == (10, 5)
    assert (info.min_checkpoint_count, info.max_checkpoint_count) == (10, 1000)
    assert (info.live_buffer_size, info.read_batch_size, info.history_buffer_size) == (500, 200, 500)
    assert (info.checkpoint_after, info.resolve_links, info.extra_statistics) == (2.0, False, False)
    assert client.get_subscription_info(other).start_from == "C:0/P:0"

    for change in (
        {"resolve_links": True},
        {"consumer_strategy": "Pinned"},
        {"message_timeout": 15.0},
        {"max_retry_count": 5},
        {"min_checkpoint_count": 7},
        {"max_checkpoint_count": 12},
        {"checkpoint_after": 1.0},
        {"max_subscriber_count": 10},
        {"live_buffer_size": 300},
        {"read_batch_size": 250},
        {"history_buffer_size": 400},
        {"extra_statistics": True},
    ):
        client.update_subscription_to_stream(group, stream, **change)
        info = client.get_subscription_info(group, stream)
        ((setting, value),) = change.items()
        assert getattr(info, setting) == value, (setting, info)
    assert info.message_timeout == 15.0, "what was set before stays"

    listed = {(info.event_source, info.group_name) for info in client.list_subscriptions()}
    assert {(stream, group), ("$all", other)} <= listed
    (only,) = client.list_subscriptions_to_stream(stream)
    assert only.group_name == group

    consumer = client.read_subscription_to_stream(group, stream)
    client.delete_subscription(group, stream)
    refused(CancelledError, next, consumer)
    refused(NotFoundError, client.get_subscription_info, group, stream)
    assert not client.list_subscriptions_to_stream(stream)
    client.delete_subscription(other)


def a_category_is_consumed():
    category = f"parcel{uuid4().hex}"
    client.create_subscription_to_stream("labels", f"$ce-{category}")
    append(f"{category}-1", "A")
    append(name(), "Other")
    append(f"{category}-2", "B")
    with client.read_subscription_to_stream("labels", f"$ce-{category}") as consumer:
        assert take(consumer, 2) == ["A", "B"]
        consumer.stop()


def facts_about_groups_are_system_events():
    position = append(name(), "Last")
    client.create_subscription_to_all(name("quiet"))
    assert client.get_commit_position() == position


for check in (
    a_stream_is_consumed,
    groups_start_where_they_are_told,
    all_is_consumed_with_filters,
    events_are_retried_parked_skipped_and_replayed,
    an_event_without_answer_comes_again,
    consumers_compete,
    groups_are_listed_changed_and_removed,
    a_category_is_consumed,
    facts_about_groups_are_system_events,
):
    check()
    print("ok", check.__name__, flush=True)
client.close()
