"""A small JSON server: HTTP/1.1 with keep-alive, and a stop that loses no request."""

import json
import re
import signal
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread

from . import log

MAX_BODY = 64 * 1024
IDLE_SECONDS = 75
HEALTH = "/healthz"
# After SIGTERM the server goes on until nobody asked for QUIET_SECONDS, but for its health.
QUIET_SECONDS = 1.0
DRAIN_SECONDS = 8.0


class Problem(Exception):
    """An answer other than success, as `application/problem+json`."""

    def __init__(self, status: int, detail: str):
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Server(ThreadingHTTPServer):
    """Answers requests by `routes`: `[(method, path pattern, function)]`.

    A function gets the groups of the pattern and, but for GET, the decoded body. It returns status and body.
    """

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address, routes, version: str):
        super().__init__(address, Handler)
        self.routes = [(method, re.compile(pattern), function) for method, pattern, function in routes]
        self.version = version
        self.draining = False
        self.in_flight = 0
        self.last_request = time.monotonic()
        self.changed = Condition()

    def serve_until_stopped(self) -> None:
        """Serves until SIGTERM or SIGINT, then drains."""
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        Thread(target=self.serve_forever, daemon=True).start()
        stop.wait()
        log.info("draining")
        self.drain()
        self.shutdown()
        self.server_close()

    def drain(self) -> None:
        """Goes on answering, each time closing the connection, until all is quiet."""
        start = time.monotonic()
        with self.changed:
            self.draining = True
            self.last_request = start
            while (now := time.monotonic()) < start + DRAIN_SECONDS:
                quiet_at = self.last_request + QUIET_SECONDS
                if self.in_flight == 0 and now >= quiet_at:
                    return
                self.changed.wait(max(quiet_at - now, 0.01))

    def handle_error(self, request, client_address) -> None:
        """A client that went away is not worth a line."""


class Handler(BaseHTTPRequestHandler):
    """Reads one request, finds its route and writes the answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        server = self.server
        with server.changed:
            server.in_flight += 1
            if self.path != HEALTH:
                server.last_request = time.monotonic()
        try:
            self._answer()
        finally:
            with server.changed:
                server.in_flight -= 1
                server.changed.notify_all()

    do_POST = do_PUT = do_DELETE = do_GET

    def _answer(self) -> None:
        start = time.monotonic()
        path = self.path.partition("?")[0]
        try:
            status, body = self._route(path, self._read_body())
        except Problem as problem:
            status, body = problem.status, {"status": problem.status, "detail": problem.detail}
        except Exception as error:
            log.error("request failed", path=path, error=repr(error))
            status, body = 500, {"status": 500, "detail": "internal error"}
        self._send(status, body)
        if path != HEALTH:
            ms = round((time.monotonic() - start) * 1000, 1)
            log.info("request", method=self.command, path=path, status=status, ms=ms)

    def _route(self, path: str, body):
        allowed = False
        for method, pattern, function in self.server.routes:
            match = pattern.fullmatch(path)
            if match and method == self.command:
                return function(*match.groups(), *([] if method == "GET" else [body]))
            allowed = allowed or bool(match)
        raise Problem(405 if allowed else 404, f"there is no {self.command} {path}")

    def _read_body(self):
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise Problem(413, f"a body needs a length of at most {MAX_BODY} bytes")
        data = self.rfile.read(int(length))
        try:
            return json.loads(data) if data else None
        except ValueError:
            raise Problem(400, "the body is not JSON") from None

    def _send(self, status: int, body) -> None:
        data = json.dumps(body).encode()
        self.close_connection = self.close_connection or self.server.draining
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json" if status < 400 else "application/problem+json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Service-Version", self.server.version)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()
