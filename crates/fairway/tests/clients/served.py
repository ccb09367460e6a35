"""A served ledger as `kurrentdbclient` sees it, over TLS and with tokens.

Takes the port, the file of the certificate, and three tokens: one that allows everything, one to read
and append to orders, and one that has expired. Asks on standard output for what has to be done to the
server, and goes on when a line comes.
"""

import sys
import time
from uuid import uuid4

from kurrentdbclient import KurrentDBClient, NewEvent, StreamState
from kurrentdbclient.exceptions import (
    AccessDeniedError,
    KurrentDBClientError,
    UnauthenticatedError,
    WrongCurrentVersionError,
)

port, certificate, admin, orders, expired = sys.argv[1:]


def client_of(token):
    uri = f"kurrentdb://anybody:{token}@localhost:{port}?tlsCaFile={certificate}"
    return KurrentDBClient(uri)


client = client_of(admin)


def event(type, data=b"{}"):
    return NewEvent(type=type, data=data)


def append(stream, *types):
    events = [event(type) for type in types]
    return client.append_to_stream(stream, current_version=StreamState.ANY, events=events)


def refused(error, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error as failure:
        return failure
    raise AssertionError(f"{call} did not fail with {error}")


def take(source, count):
    return [next(source).type for _ in range(count)]


def eventually(holds):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.02)


def ask_for(what):
    print(what, flush=True)
    assert sys.stdin.readline(), "somebody does it"


def what_is_appended_is_read_and_followed():
    stream = f"order-{uuid4()}"
    created = event("Created", b'{"total": 7}')
    start = client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=[created])
    wrong = {"current_version": StreamState.NO_STREAM, "events": [event("Other")]}
    refused(WrongCurrentVersionError, client.append_to_stream, stream, **wrong)
    (read,) = client.get_stream(stream)
    assert (read.id, read.type, read.data) == (created.id, "Created", b'{"total": 7}')
    with client.subscribe_to_all(commit_position=start) as subscription:
        append(stream, "Paid")
        assert take(subscription, 1) == ["Paid"]
    with client.subscribe_to_stream(stream) as subscription:
        assert take(subscription, 2) == ["Created", "Paid"]


def a_group_hands_out_what_is_not_done():
    stream = f"order-{uuid4()}"
    client.create_subscription_to_stream("mails", stream)
    append(stream, "Good", "Slow", "Bad")
    answers = {"Good": ["ack"], "Slow": ["retry", "ack"], "Bad": ["park", "ack"]}
    info = lambda: client.get_subscription_info("mails", stream)

    def answer(consumer, event):
        match answers[event.type].pop(0):
            case "ack":
                consumer.ack(event)
            case action:
                consumer.nack(event, action)

    with client.read_subscription_to_stream("mails", stream, max_ack_delay=0.01) as consumer:
        for event in consumer:
            answer(consumer, event)
            if not answers["Slow"] and len(answers["Bad"]) == 1:
                break
        eventually(lambda: info().parked_message_count == 1)
        client.replay_parked_events("mails", stream)
        bad = next(consumer)
        assert bad.type == "Bad", bad
        answer(consumer, bad)
        eventually(lambda: info().parked_message_count == 0)
        consumer.stop()
    eventually(lambda: info().last_checkpointed_event_position == "2")


def a_token_allows_what_it_has_rights_to():
    orders_alone = client_of(orders)
    stream, cart = f"order-{uuid4()}", f"cart-{uuid4()}"
    append(cart, "Made")
    some = {"current_version": StreamState.ANY, "events": [event("Made")]}
    orders_alone.append_to_stream(stream, **some)
    assert [event.type for event in orders_alone.get_stream(stream)] == ["Made"]
    refused(AccessDeniedError, orders_alone.append_to_stream, cart, **some)
    refused(AccessDeniedError, orders_alone.get_stream, cart)
    refused(AccessDeniedError, lambda: next(orders_alone.subscribe_to_all()))
    refused(AccessDeniedError, orders_alone.create_subscription_to_stream, "mails", stream)
    refused(AccessDeniedError, orders_alone.delete_stream, stream, current_version=0)
    orders_alone.close()
    for token in ["forged", expired]:
        nobody = client_of(token)
        refused(UnauthenticatedError, nobody.append_to_stream, stream, **some)
        refused(UnauthenticatedError, nobody.get_stream, stream)
        nobody.close()
    assert len(client.get_stream(stream)) == len(client.get_stream(cart)) == 1


def a_client_goes_on_when_the_server_was_killed():
    stream = f"order-{uuid4()}"
    append(stream, "Before")
    subscription = client.subscribe_to_stream(stream)
    assert take(subscription, 1) == ["Before"]
    ask_for("kill the server")
    refused(KurrentDBClientError, next, subscription)
    ask_for("start the server")

    def goes_on():
        try:
            append(stream, "After")
            return True
        except KurrentDBClientError:
            return False

    eventually(goes_on)
    with client.subscribe_to_stream(stream, stream_position=0) as subscription:
        assert take(subscription, 1) == ["After"]


for check in (
    what_is_appended_is_read_and_followed,
    a_group_hands_out_what_is_not_done,
    a_token_allows_what_it_has_rights_to,
    a_client_goes_on_when_the_server_was_killed,
):
    check()
client.close()
