"""Catch-up subscriptions as `kurrentdbclient` sees them. Takes the address of a server."""

import asyncio
import sys
from uuid import uuid4

from kurrentdbclient import AsyncKurrentDBClient, KurrentDBClient, NewEvent, StreamState
from kurrentdbclient.events import CaughtUp, Checkpoint, RecordedEvent

address = sys.argv[1]
uri = f"kurrentdb://{address}?tls=false"
client = KurrentDBClient(uri)


def name(category="order"):
    return f"{category}-{uuid4()}"


def append(stream, *types, data=b"{}"):
    events = [NewEvent(type=type, data=data) for type in types]
    return client.append_to_stream(stream, current_version=StreamState.ANY, events=events)


def take(subscription, count):
    """Takes events, with `caught up` among them by name."""
    taken = []
    for event in subscription:
        taken.append("caught up" if isinstance(event, CaughtUp) else event.type)
        if len(taken) == count:
            return taken


def a_stream_is_followed():
    stream = name()
    append(stream, "A", "B", "C")
    with client.subscribe_to_stream(stream, include_caught_up=True) as subscription:
        assert subscription.subscription_id
        assert take(subscription, 4) == ["A", "B", "C", "caught up"]
        append(stream, "D")
        append(name(), "Other")
        append(stream, "E", "F")
        assert take(subscription, 3) == ["D", "E", "F"]
    with client.subscribe_to_stream(stream, stream_position=1) as subscription:
        assert take(subscription, 2) == ["C", "D"], "the event at the position is not part of it"
    with client.subscribe_to_stream(stream, from_end=True) as subscription:
        append(stream, "G")
        assert take(subscription, 1) == ["G"]
    unused = name()
    with client.subscribe_to_stream(unused) as subscription:
        append(unused, "First")
        assert take(subscription, 1) == ["First"]


def a_stream_that_is_made_anew_is_followed_on():
    stream = name()
    append(stream, "A")
    with client.subscribe_to_stream(stream) as subscription:
        assert take(subscription, 1) == ["A"]
        client.delete_stream(stream, current_version=0)
        append(stream, "B")
        assert take(subscription, 1) == ["B"]


def all_is_followed():
    start = append(name(), "Start")
    stream = name("bill")
    append(stream, "A", "B")
    with client.subscribe_to_all(commit_position=start, include_caught_up=True) as subscription:
        assert take(subscription, 3) == ["A", "B", "caught up"]
        client.set_stream_metadata(stream, metadata={"foo": "bar"})
        append(stream, "C")
        assert take(subscription, 1) == ["C"], "system events are left out"
    with client.subscribe_to_all(commit_position=start, filter_exclude=[]) as subscription:
        assert take(subscription, 4) == ["A", "B", "$metadata", "C"]
    with client.subscribe_to_all(from_end=True) as subscription:
        append(stream, "D")
        assert take(subscription, 1) == ["D"]
    with client.subscribe_to_all(
        commit_position=start, filter_include=["bill-.*"], filter_by_stream_name=True
    ) as subscription:
        append(name("order"), "Other")
        append(stream, "E")
        assert take(subscription, 5) == ["A", "B", "C", "D", "E"]
    with client.subscribe_to_all(
        commit_position=start, filter_include=("B", "D"), filter_by_prefix=True
    ) as subscription:
        assert take(subscription, 2) == ["B", "D"]


def checkpoints_come_although_nothing_fits():
    start = append(name(), "Start")
    end = append(name(), *["Dull"] * 50)
    seen = []
    with client.subscribe_to_all(
        commit_position=start,
        filter_include=["Interesting"],
        include_checkpoints=True,
        include_caught_up=True,
        window_size=5,
        checkpoint_interval_multiplier=4,
    ) as subscription:
        for event in subscription:
            if isinstance(event, CaughtUp):
                assert event.commit_position == end
                break
            assert isinstance(event, Checkpoint), event
            seen.append(event.commit_position)
        assert seen == [start + 20, start + 40, end], seen
        last = append(name(), "Interesting")
        assert next(subscription).commit_position == last


def many_events_reach_a_slow_reader():
    stream = name("many")
    with client.subscribe_to_stream(stream) as subscription:
        for _ in range(10):
            append(stream, *["Large"] * 100, data=b"x" * 10_000)
        positions = [next(subscription).stream_position for _ in range(1000)]
        assert positions == list(range(1000))


def links_are_resolved():
    stream, links = name(), name("links")
    append(stream, "A", "B")
    append(links, "$>", data=f"1@{stream}".encode())
    append(links, "$>", data=b"7@order-nowhere")
    kept = client.get_stream(links)
    assert [event.type for event in kept] == ["$>", "$>"]
    (resolved,) = client.get_stream(links, resolve_links=True)
    assert (resolved.type, resolved.stream_name, resolved.stream_position) == ("B", stream, 1)
    assert (resolved.link.type, resolved.link.stream_position) == ("$>", 0)
    with client.subscribe_to_stream(links, resolve_links=True) as subscription:
        assert next(subscription).type == "B"


async def the_asynchronous_client_works():
    asynchronous = AsyncKurrentDBClient(uri)
    await asynchronous.connect()
    stream = name()
    events = [NewEvent(type=type, data=b"{}") for type in "ABC"]
    await asynchronous.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=events)
    assert [event.type for event in await asynchronous.get_stream(stream)] == ["A", "B", "C"]
    subscription = await asynchronous.subscribe_to_stream(stream)
    taken = []
    async with subscription:
        async for event in subscription:
            assert isinstance(event, RecordedEvent)
            taken.append(event.type)
            if len(taken) == 3:
                break
    assert taken == ["A", "B", "C"]
    await asynchronous.delete_stream(stream, current_version=2)
    assert await asynchronous.get_current_version(stream) is StreamState.NO_STREAM
    await asynchronous.close()


for check in (
    a_stream_is_followed,
    a_stream_that_is_made_anew_is_followed_on,
    all_is_followed,
    checkpoints_come_although_nothing_fits,
    many_events_reach_a_slow_reader,
    links_are_resolved,
):
    check()
    print("ok", check.__name__, flush=True)
asyncio.run(the_asynchronous_client_works())
print("ok the_asynchronous_client_works")
client.close()
