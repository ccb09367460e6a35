"""Starts the service: `python -m catalog`."""

import os
import sys
from pathlib import Path
from threading import Thread

from catalog import api, log
from catalog.server import Server
from catalog.store import Store

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    url = os.environ.get("DATABASE_URL")
    if not url:
        log.error("DATABASE_URL is not set")
        return 2
    version = (ROOT / "version.txt").read_text().strip()
    store = Store(url)
    Thread(target=store.migrate_with_patience, args=(ROOT / "migrations",), daemon=True).start()
    server = Server(("", int(os.environ.get("PORT", "8080"))), api.routes(store), version)
    log.info("started", version=version, port=server.server_port)
    server.serve_until_stopped()
    log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
