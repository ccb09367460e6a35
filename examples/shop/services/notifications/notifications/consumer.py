"""Takes events from RabbitMQ into the inbox."""

import json
from threading import Event, Thread

import pika
from pika.exceptions import AMQPError

from . import log
from .inbox import Inbox, of_order

EXCHANGE = "shop"
QUEUE = "notifications"
KEY = "order.created"
PREFETCH = 32
POLL_SECONDS = 0.2
RETRY_SECONDS_MAX = 2
CONNECT_SECONDS = 2


class Consumer:
    """Consumes in a thread of its own, and connects again when the queue was lost."""

    def __init__(self, url: str, inbox: Inbox):
        self._parameters = pika.URLParameters(url)
        self._parameters.socket_timeout = CONNECT_SECONDS
        self._parameters.stack_timeout = 2 * CONNECT_SECONDS
        self._inbox = inbox
        self._stopping = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self.connected = Event()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Takes no more events; those not yet acknowledged stay in the queue."""
        self._stopping.set()
        self._thread.join(CONNECT_SECONDS)

    def _run(self) -> None:
        pause = 0.05
        while not self._stopping.wait(pause):
            try:
                self._consume()
            except (AMQPError, OSError) as error:
                log.info("waiting for the queue", error=repr(error))
            pause = 0.05 if self.connected.is_set() else min(pause * 2, RETRY_SECONDS_MAX)
            self.connected.clear()

    def _consume(self) -> None:
        with pika.BlockingConnection(self._parameters) as connection:
            channel = connection.channel()
            channel.exchange_declare(EXCHANGE, "topic", durable=True)
            channel.queue_declare(QUEUE, durable=True)
            channel.queue_bind(QUEUE, EXCHANGE, KEY)
            channel.basic_qos(prefetch_count=PREFETCH)
            self.connected.set()
            log.info("the queue is connected")
            for method, _, body in channel.consume(QUEUE, inactivity_timeout=POLL_SECONDS):
                if method:
                    self._take(channel, method.delivery_tag, body)
                if self._stopping.is_set():
                    return

    def _take(self, channel, tag: int, body: bytes) -> None:
        try:
            self._inbox.add(of_order(json.loads(body)))
            channel.basic_ack(tag)
        except ValueError as error:
            log.error("an event was thrown away", error=str(error))
            channel.basic_reject(tag, requeue=False)
