"""Items in PostgreSQL."""

import threading
from pathlib import Path
from queue import Empty, LifoQueue

import psycopg2

from . import log
from .item import Item
from .server import Problem

CONNECTIONS = 8
CONNECT_SECONDS = 2
WAIT_SECONDS = 5
RETRY_SECONDS_MAX = 2
MIGRATION_LOCK = 7_001


class Store:
    def __init__(self, url: str):
        self._url = url
        self._migrated = threading.Event()
        self._connections = LifoQueue()
        for _ in range(CONNECTIONS):
            self._connections.put(Connection(url))

    def migrate_with_patience(self, folder: Path) -> None:
        """Migrates as soon as the database answers."""
        pause = 0.05
        while True:
            try:
                return self.migrate(folder)
            except psycopg2.OperationalError as error:
                log.info("waiting for the database", error=str(error).strip())
                threading.Event().wait(pause)
                pause = min(pause * 2, RETRY_SECONDS_MAX)

    def migrate(self, folder: Path) -> None:
        """Applies the migrations that the database has not seen; one replica at a time."""
        connection = connect(self._url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
                cursor.execute("CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY)")
                cursor.execute("SELECT name FROM migrations")
                seen = {name for (name,) in cursor}
                for path in sorted(folder.glob("*.sql")):
                    if path.name not in seen:
                        cursor.execute(path.read_text())
                        cursor.execute("INSERT INTO migrations VALUES (%s)", (path.name,))
                        log.info("migrated", migration=path.name)
        finally:
            connection.close()
        self._migrated.set()

    def check(self) -> None:
        """Raises a `Problem` unless requests can be answered."""
        if not self._migrated.is_set():
            raise Problem(503, "the database is not migrated yet")
        self._query("SELECT 1")

    def items(self) -> list[Item]:
        return [Item(*row) for row in self._query("SELECT sku, name, price_cents FROM items ORDER BY sku")]

    def item(self, sku: str) -> Item | None:
        rows = self._query("SELECT sku, name, price_cents FROM items WHERE sku = %s", (sku,))
        return Item(*rows[0]) if rows else None

    def put(self, item: Item) -> None:
        self._query(
            "INSERT INTO items VALUES (%s, %s, %s) ON CONFLICT (sku)"
            " DO UPDATE SET name = excluded.name, price_cents = excluded.price_cents RETURNING sku",
            (item.sku, item.name, item.price_cents),
        )

    def _query(self, sql: str, values=()):
        try:
            connection = self._connections.get(timeout=WAIT_SECONDS)
        except Empty:
            raise Problem(503, "all connections to the database are busy") from None
        try:
            return connection.query(sql, values)
        finally:
            self._connections.put(connection)


class Connection:
    """A connection that is made when it is needed, and again when it was lost."""

    def __init__(self, url: str):
        self._url = url
        self._open = None

    def query(self, sql: str, values):
        """Runs one statement, twice if it finds the connection lost: all statements may be repeated."""
        fresh = self._open is None
        try:
            if fresh:
                self._open = connect(self._url)
                self._open.autocommit = True
            with self._open.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall()
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            self._open = None
            if not fresh:
                return self.query(sql, values)
            log.error("the database failed", error=str(error).strip())
            raise Problem(503, "the database is not available") from None


def connect(url: str):
    return psycopg2.connect(url, connect_timeout=CONNECT_SECONDS)
