"""A client of Fairway's event store, for what this service needs of it."""

import json
import os
import urllib.error
import urllib.request

LEDGER = os.environ.get("LEDGER_URL", "http://127.0.0.1:2113")


class Conflict(Exception):
    """The stream is not as expected: somebody else appended meanwhile."""


def _call(method, path, body=None, accept="application/json"):
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", "accept": accept}
    request = urllib.request.Request(f"{LEDGER}/v1{path}", data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def read(stream, after):
    """The events of a stream after a version, each a dict."""
    try:
        lines = _call("GET", f"/streams/{stream}?after={after}", accept="application/x-ndjson")
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return []
        raise
    return [json.loads(line) for line in lines.splitlines()]


def append(stream, expected, event):
    """Appends an event to a stream with a version; answers its position and version."""
    try:
        return json.loads(_call("POST", f"/streams/{stream}?expected={expected}", event))
    except urllib.error.HTTPError as error:
        if error.code == 409:
            raise Conflict from error
        raise


def snapshot(stream):
    """The newest snapshot of a stream, or None."""
    try:
        return json.loads(_call("GET", f"/streams/{stream}/snapshot"))
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def save_snapshot(stream, version, kind, data):
    """Saves what a stream's events amount to up to a version; OSError if that fails."""
    _call("PUT", f"/streams/{stream}/snapshot", {"version": version, "kind": kind, "data": data})
