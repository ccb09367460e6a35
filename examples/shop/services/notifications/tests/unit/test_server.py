import json
from http.client import HTTPConnection
from threading import Event, Thread

import pytest

from notifications.server import Server


@pytest.fixture
def server():
    entered, leave = Event(), Event()

    def slow():
        entered.set()
        leave.wait(5)
        return 200, {"slow": True}

    routes = [("GET", "/quick", lambda: (200, {})), ("GET", "/slow", slow), ("PUT", "/echo", lambda body: (200, body))]
    server = Server(("127.0.0.1", 0), routes, "1.2.3")
    server.entered, server.leave = entered, leave
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(server):
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    yield connection
    connection.close()


def ask(client, method, path, body=None):
    client.request(method, path, body)
    response = client.getresponse()
    return response, json.loads(response.read())


def test_a_connection_serves_many_requests_and_each_names_the_version(client):
    for _ in range(3):
        response, _ = ask(client, "GET", "/quick")
        assert response.status == 200
        assert response.headers["X-Service-Version"] == "1.2.3"
        assert not response.will_close


def test_an_error_leaves_the_connection_in_step(client):
    assert ask(client, "PUT", "/echo", "not json")[0].status == 400
    assert ask(client, "PUT", "/nothing", '{"a": 1}')[0].status == 404
    assert ask(client, "POST", "/quick")[0].status == 405
    assert ask(client, "PUT", "/echo", '{"a": 1}')[1] == {"a": 1}


def test_a_body_that_is_too_long_is_not_read(client):
    client.putrequest("PUT", "/echo")
    client.putheader("Content-Length", "1000000")
    client.endheaders()
    response = client.getresponse()
    assert response.status == 413
    assert response.will_close


def test_draining_waits_for_requests_in_flight_and_closes_connections(server, client):
    client.request("GET", "/slow")
    assert server.entered.wait(5)
    drain = Thread(target=server.drain)
    drain.start()

    late = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    while not server.draining:
        pass
    response, _ = ask(late, "GET", "/quick")
    assert (response.status, response.will_close) == (200, True)
    assert drain.is_alive()

    server.leave.set()
    response = client.getresponse()
    assert json.loads(response.read()) == {"slow": True}
    assert response.will_close
    drain.join(5)
    assert not drain.is_alive()
