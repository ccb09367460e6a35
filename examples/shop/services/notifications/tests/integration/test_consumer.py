"""Notifications beside a real RabbitMQ, at QUEUE_URL."""

import json
import os
from http.client import HTTPConnection
from threading import Event, Thread
from time import monotonic

import pika
import pytest

from notifications import api
from notifications.consumer import EXCHANGE, KEY, QUEUE, Consumer
from notifications.inbox import Inbox
from notifications.server import Server

URL = os.environ["QUEUE_URL"]
DEADLINE_SECONDS = 15


@pytest.fixture
def channel():
    with pika.BlockingConnection(pika.URLParameters(URL)) as connection:
        channel = connection.channel()
        channel.queue_delete(QUEUE)
        yield channel


@pytest.fixture
def start():
    started = []

    def start_one():
        inbox = Inbox()
        consumer = Consumer(URL, inbox)
        consumer.start()
        assert consumer.connected.wait(DEADLINE_SECONDS)
        started.append(consumer)
        return inbox, consumer

    yield start_one
    for consumer in started:
        consumer.stop()


def publish(channel, order_id):
    order = {"id": order_id, "name": "Assam", "quantity": 1, "total_cents": 690, "created_at": "now"}
    channel.basic_publish(EXCHANGE, KEY, json.dumps(order))


def eventually(condition):
    deadline = monotonic() + DEADLINE_SECONDS
    while not condition():
        assert monotonic() < deadline, "the condition was not met in time"
        Event().wait(0.02)


def ids(inbox):
    return [each.order_id for each in inbox.newest()]


def test_an_event_becomes_a_notification_that_is_served(channel, start):
    inbox, consumer = start()
    server = Server(("127.0.0.1", 0), api.routes(inbox, consumer), "test")
    Thread(target=server.serve_forever, daemon=True).start()
    publish(channel, "1")
    eventually(lambda: ids(inbox) == ["1"])

    client = HTTPConnection("127.0.0.1", server.server_port)
    client.request("GET", "/notifications")
    served = json.loads(client.getresponse().read())
    assert served["notifications"][0]["text"] == "1 × Assam ordered for 6.90 €"
    client.request("GET", "/healthz")
    assert json.loads(client.getresponse().read())["queue"] == "connected"
    client.close()
    server.shutdown()
    server.server_close()


def test_an_event_that_is_no_order_is_thrown_away(channel, start):
    inbox, _ = start()
    channel.basic_publish(EXCHANGE, KEY, "not json")
    publish(channel, "1")
    eventually(lambda: ids(inbox) == ["1"])


def test_events_wait_in_the_queue_while_nobody_consumes(channel, start):
    _, consumer = start()
    consumer.stop()
    publish(channel, "1")
    inbox, _ = start()
    eventually(lambda: ids(inbox) == ["1"])


def test_a_lost_connection_is_replaced(channel, start):
    inbox, consumer = start()
    # The broker ends the consumer's channel together with its queue.
    channel.queue_delete(QUEUE)
    eventually(lambda: not consumer.connected.is_set())
    assert consumer.connected.wait(DEADLINE_SECONDS)
    publish(channel, "1")
    eventually(lambda: ids(inbox) == ["1"])
