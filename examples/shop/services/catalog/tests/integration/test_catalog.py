"""The catalogue beside a real PostgreSQL, at DATABASE_URL."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import psycopg2
import pytest

from catalog import api
from catalog.item import Item
from catalog.server import Problem, Server
from catalog.store import Store

URL = os.environ["DATABASE_URL"]
MIGRATIONS = Path(__file__).parents[2] / "migrations"


@pytest.fixture
def store():
    with psycopg2.connect(URL) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS items, migrations")
    connection.close()
    return Store(URL)


@pytest.fixture
def client(store):
    store.migrate(MIGRATIONS)
    server = Server(("127.0.0.1", 0), api.routes(store), "test")
    Thread(target=server.serve_forever, daemon=True).start()
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    yield connection
    connection.close()
    server.shutdown()
    server.server_close()


def ask(client, method, path, body=None):
    client.request(method, path, json.dumps(body) if body is not None else None)
    response = client.getresponse()
    return response.status, json.loads(response.read())


def test_replicas_that_start_at_once_migrate_once(store):
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: Store(URL).migrate(MIGRATIONS), range(6)))
    assert len(store.items()) == 4


def test_a_service_is_ready_after_its_migrations(store):
    with pytest.raises(Problem, match="not migrated"):
        store.check()
    store.migrate(MIGRATIONS)
    store.check()


def test_a_lost_connection_is_replaced(store):
    store.migrate(MIGRATIONS)
    store.put(Item("oolong-50", "Oolong, 50 g", 1100))
    with psycopg2.connect(URL) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid != pg_backend_pid() AND usename = current_user"
        )
    connection.close()
    assert store.item("oolong-50") == Item("oolong-50", "Oolong, 50 g", 1100)


def test_items_are_listed_read_and_put(client):
    assert ask(client, "GET", "/healthz") == (200, {"status": "ok"})
    status, body = ask(client, "GET", "/catalog")
    assert (status, len(body["items"])) == (200, 4)

    oolong = {"name": "Oolong, 50 g", "price_cents": 1100}
    assert ask(client, "PUT", "/catalog/oolong-50", oolong) == (200, {"sku": "oolong-50", **oolong})
    dearer = {**oolong, "price_cents": 1200}
    assert ask(client, "PUT", "/catalog/oolong-50", dearer)[0] == 200
    assert ask(client, "GET", "/catalog/oolong-50") == (200, {"sku": "oolong-50", **dearer})
    assert ask(client, "GET", "/catalog/nothing")[0] == 404
    assert ask(client, "PUT", "/catalog/oolong-50", {})[0] == 422
