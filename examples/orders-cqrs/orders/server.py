"""The service that decides about orders.

POST /orders/ID             {"customer": .., "items": [{"name": .., "price": .., "quantity": ..}]}
POST /orders/ID/items       one more item
POST /orders/ID/approve     also pay, prepare, ship, deliver
GET  /orders/ID             the order as it is

A command may have an `idempotency-key`: tried again with the same, it does nothing twice. An answer
with 503 says that the ledger is away; the command may have been done, and is tried again with its key.
"""

import json
import os
import re
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import ledger
from order import SNAPSHOT_KIND, STEPS, Order, Refused

# A snapshot is saved whenever so many events came since the last one.
SNAPSHOT_EVERY = 4
# How often a command is decided anew when somebody else was faster.
ATTEMPTS = 5
BODY_MAX = 64 * 1024
# What can be the id of an order: a part of the name of its stream.
ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def load(stream):
    """An order, its version, and the version of the snapshot that it was made from."""
    order, version = Order(), 0
    snapshot = ledger.snapshot(stream)
    if snapshot and snapshot["kind"] == SNAPSHOT_KIND:
        order, version = Order(**snapshot["data"]), snapshot["version"]
    start = version
    for event in ledger.read(stream, version):
        order.apply(event["kind"], event["data"])
        version = event["version"]
    return order, version, start


def find(stream, event_id):
    """The event with an id, or None. An order has few events, so all are read."""
    return next((event for event in ledger.read(stream, 0) if event["id"] == event_id), None)


def perform(stream, command, body, key):
    """Decides a command and appends what it leads to; answers the order and the position."""
    for _ in range(ATTEMPTS):
        order, version, start = load(stream)
        event_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{stream}/{key}") if key else uuid.uuid4())
        done = find(stream, event_id) if key else None
        if done:
            return order, done["position"]
        kind, data = order.decide(command, body)
        event = {"id": event_id, "kind": kind, "data": data}
        try:
            appended = ledger.append(stream, version, event)
        except ledger.Conflict:
            continue
        order.apply(kind, data)
        version = appended["version"]
        if version - start >= SNAPSHOT_EVERY:
            try:
                ledger.save_snapshot(stream, version, SNAPSHOT_KIND, order.as_json())
            except OSError as error:  # the event is there; the next one saves a snapshot again
                print(f"no snapshot of {stream}: {error}", flush=True)
        return order, appended["position"]
    raise Refused("the order is changed by too many at once")


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        match self.path.strip("/").split("/"):
            case ["healthz"]:
                self.answer(200, {})
            case ["orders", order_id] if ORDER_ID.fullmatch(order_id):
                try:
                    order, version, start = load(f"order-{order_id}")
                except OSError as error:
                    return self.answer(503, {"error": f"the ledger is away: {error}"})
                if version == 0:
                    return self.answer(404, {"error": "there is no such order"})
                about = {"version": version, "replayed": version - start, "total": order.total}
                self.answer(200, order.as_json() | about)
            case _:
                self.answer(404, {"error": "there is no such page"})

    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        if length > BODY_MAX:
            self.close_connection = True
            return self.answer(413, {"error": "the body is too large"})
        text = self.rfile.read(length)
        match self.path.strip("/").split("/"):
            case ["orders", order_id]:
                command = "create"
            case ["orders", order_id, command] if command in STEPS or command == "items":
                pass
            case _:
                return self.answer(404, {"error": "there is no such command"})
        if not ORDER_ID.fullmatch(order_id):
            return self.answer(404, {"error": "no order has such an id"})
        try:
            body = json.loads(text) if text else {}
            key = self.headers.get("idempotency-key")
            order, position = perform(f"order-{order_id}", command, body, key)
        except (ValueError, KeyError, TypeError) as error:
            return self.answer(400, {"error": f"the body is not what `{command}` takes: {error}"})
        except Refused as error:
            return self.answer(409, {"error": str(error)})
        except OSError as error:
            return self.answer(503, {"error": f"the ledger is away: {error}"})
        answer = order.as_json() | {"total": order.total, "position": position}
        self.answer(201 if command == "create" else 200, answer)

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        """Says nothing of requests."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 8081))), Handler)
    print(f"orders on port {server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)
