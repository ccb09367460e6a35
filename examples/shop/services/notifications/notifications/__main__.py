"""Starts the service: `python -m notifications`."""

import os
import sys
from pathlib import Path

from notifications import api, log
from notifications.consumer import Consumer
from notifications.inbox import Inbox
from notifications.server import Server

VERSION = Path(__file__).resolve().parent.parent / "version.txt"


def main() -> int:
    url = os.environ.get("QUEUE_URL")
    if not url:
        log.error("QUEUE_URL is not set")
        return 2
    version = VERSION.read_text().strip()
    inbox = Inbox()
    consumer = Consumer(url, inbox)
    consumer.start()
    server = Server(("", int(os.environ.get("PORT", "8080"))), api.routes(inbox, consumer), version)
    log.info("started", version=version, port=server.server_port)
    server.serve_until_stopped(before_drain=consumer.stop)
    log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
