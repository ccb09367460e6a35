"""Sends CloudEvents with the SDK, reads them back with it, and compares."""

import sys
import urllib.request
from datetime import datetime, timezone

from cloudevents.core.bindings.http import (
    HTTPMessage,
    from_binary_event,
    from_structured_event,
    to_binary_event,
    to_structured_event,
)
from cloudevents.core.v1.event import CloudEvent

BASE = f"http://{sys.argv[1]}"
PLACES = {"fairwayposition", "fairwaystream", "fairwayversion"}


def call(method, path, message=None, accept=None):
    headers = dict(message.headers) if message else {}
    if accept:
        headers["accept"] = accept
    body = message.body if message else None
    request = urllib.request.Request(BASE + path, data=body, method=method, headers=headers)
    with urllib.request.urlopen(request) as response:
        return HTTPMessage(headers=dict(response.headers), body=response.read())


def event(id, data, content_type):
    attributes = {
        "id": id,
        "source": "/shop/caf\u00e9",
        "type": "com.example.order-paid",
        "subject": "order 7",
        "time": datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc),
        "datacontenttype": content_type,
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    return CloudEvent(attributes=attributes, data=data)


def same(sent, got):
    attributes = {name: value for name, value in got.get_attributes().items() if name not in PLACES}
    assert attributes == sent.get_attributes(), (attributes, sent.get_attributes())
    assert got.get_data() == sent.get_data(), (got.get_data(), sent.get_data())


EVENTS = [
    event("A-1", {"sum": 5, "items": ["a", "\u00e4"]}, "application/json"),
    event("018f4a3e-0000-7000-8000-000000000001", {"sum": 6}, "application/json"),
]

position = 0
for to_message in (to_binary_event, to_structured_event):
    for at, sent in enumerate(EVENTS):
        stream = f"/v1/streams/python-{to_message.__name__}-{at}"
        call("POST", stream, to_message(sent))
        position += 1
        structured = call("GET", f"/v1/events/{position}", accept="application/cloudevents+json")
        same(sent, from_structured_event(structured))
        binary = call("GET", f"{stream}/events/1?format=cloudevents-binary")
        same(sent, from_binary_event(binary))

raw = event("B-1", b"\x00\xff", "application/octet-stream")
call("POST", "/v1/streams/python-raw", to_structured_event(raw))
binary = call("GET", "/v1/streams/python-raw/events/1?format=cloudevents-binary")
assert binary.body == b"\x00\xff", binary
