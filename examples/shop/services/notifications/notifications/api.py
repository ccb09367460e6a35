"""The HTTP interface."""

from dataclasses import asdict

from .consumer import Consumer
from .inbox import Inbox


def routes(inbox: Inbox, consumer: Consumer):
    def health():
        # Without the queue nothing new comes in, but what came in is still served.
        return 200, {"status": "ok", "queue": "connected" if consumer.connected.is_set() else "connecting"}

    def newest():
        return 200, {"notifications": [asdict(each) for each in inbox.newest()]}

    return [("GET", "/healthz", health), ("GET", "/notifications", newest)]
