"""Recorders of the Python library `eventsourcing` over Fairway's HTTP API.

An originator is a stream of the category `originator`; a notification id is a position. What another
application was followed up to is a stream of the category `tracking`, appended to in one commit with
the events that came of it.
"""

import base64
import http.client
import json
import threading
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    OperationalError,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    TrackingRecorder,
)

PAGE = 1000


class Client:
    """The API, by one connection per thread."""

    def __init__(self, url):
        self.host = urlsplit(url).netloc
        self.local = threading.local()

    def call(self, method, path, body=None, **params):
        given = {name: value for name, value in params.items() if value is not None}
        target = f"/v1{path}?{urlencode(given, doseq=True)}"
        text = None if body is None else json.dumps(body)
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.host, timeout=30)
        connection = self.local.connection
        headers = {"content-type": "application/json", "accept": "application/json"}
        connection.request(method, target, text, headers)
        answer = connection.getresponse()
        status, text = answer.status, answer.read()
        if status in (404, 503):  # it is not there, or not yet
            return None
        if status == 409:
            raise IntegrityError(text.decode())
        if status >= 400:
            raise OperationalError(f"{method} {target}: {status} {text.decode()}")
        return json.loads(text)

    def page(self, path, **params):
        found = self.call("GET", path, **params)
        return [] if found is None else found["events"]


def stored(event):
    """An event of the ledger as a stored event."""
    of = event["metadata"]
    originator = UUID(of["originator"]) if of["is_uuid"] else of["originator"]
    state = base64.b64decode(event["data_base64"])
    return StoredEvent(originator, of["version"], event["kind"], state)


class Recorder(ApplicationRecorder):
    """Events by originator and by position."""

    def __init__(self, url):
        self.client = Client(url)

    def insert_events(self, stored_events, **kwargs):
        appends = self.appends(stored_events)
        tracking = kwargs.get("tracking")
        if tracking is not None:
            appends.append(self.track(tracking))
        if not appends:
            return []
        appended = self.client.call("POST", "/append", appends)
        last = {a["stream"]: b["position"] for a, b in zip(appends, appended)}
        left = {a["stream"]: len(a["events"]) for a in appends}
        ids = []
        for event in stored_events:
            name = self.stream(event.originator_id)
            left[name] -= 1
            ids.append(last[name] - left[name])
        return ids

    @staticmethod
    def stream(originator_id):
        return f"originator-{originator_id}"

    def appends(self, stored_events):
        by_stream = {}
        for event in stored_events:
            by_stream.setdefault(self.stream(event.originator_id), []).append(event)
        return [self.append(name, events) for name, events in by_stream.items()]

    def append(self, name, events):
        versions = [event.originator_version for event in events]
        if versions != list(range(versions[0], versions[0] + len(versions))):
            raise IntegrityError(f"{versions} are not in a row")
        expected = "none"
        if versions[0] > 1:
            last = self.client.page(f"/streams/{name}", before="end", limit=1)
            if not last or last[0]["metadata"]["version"] + 1 != versions[0]:
                raise IntegrityError(f"{versions[0]} does not come next")
            expected = last[0]["version"]
        return {"stream": name, "expected": expected, "events": [self.new(e) for e in events]}

    @staticmethod
    def new(event):
        originator = event.originator_id
        metadata = {
            "originator": str(originator),
            "is_uuid": isinstance(originator, UUID),
            "version": event.originator_version,
        }
        state = base64.b64encode(event.state).decode()
        return {"kind": event.topic, "data_base64": state, "metadata": metadata}

    def select_events(self, originator_id, *, gt=None, lte=None, desc=False, limit=None):
        path, found = f"/streams/{self.stream(originator_id)}", []
        cursor = {"before": "end"} if desc else {}
        while limit is None or len(found) < limit:
            page = self.client.page(path, limit=PAGE, **cursor)
            if not page:
                break
            events = [stored(event) for event in page]
            found += [
                e
                for e in events
                if (gt is None or e.originator_version > gt)
                and (lte is None or e.originator_version <= lte)
            ]
            cursor = {"before" if desc else "after": page[-1]["version"]}
        return found[:limit]

    def select_notifications(
        self, start, limit, stop=None, topics=(), *, inclusive_of_start=True
    ):
        after = max((start or 0) - (1 if inclusive_of_start else 0), 0)
        found = []
        while len(found) < limit:
            page = self.client.page("/categories/originator", after=after, limit=PAGE)
            if not page:
                break
            for event in page:
                if stop is not None and event["position"] > stop:
                    return found[:limit]
                if not topics or event["kind"] in topics:
                    found.append(Notification(**vars(stored(event)), id=event["position"]))
            after = page[-1]["position"]
        return found[:limit]

    def max_notification_id(self):
        last = self.client.page("/categories/originator", before="end", limit=1)
        return last[0]["position"] if last else None

    def subscribe(self, gt=None, topics=()):
        return Following(self, gt, topics)


class Following(Subscription):
    """Notifications as they come."""

    def __next__(self):
        while not self._has_been_stopped:
            after = self._last_notification_id or 0
            found = self._recorder.select_notifications(
                after, 1, topics=self._topics, inclusive_of_start=False
            )
            if found:
                self._last_notification_id = found[0].id
                return found[0]
            self._recorder.client.call("GET", "/head", at_least=after + 1, wait="200ms")
        raise StopIteration


class FollowingRecorder(Recorder, ProcessRecorder, TrackingRecorder):
    """Events, and up to where other applications were followed."""

    def track(self, tracking):
        last = self.last_tracking(tracking.application_name)
        if last is not None and last["data"] >= tracking.notification_id:
            raise IntegrityError(f"{tracking} is not after {last['data']}")
        event = {"kind": "tracked", "data": tracking.notification_id}
        name = f"tracking-{tracking.application_name}"
        return {"stream": name, "expected": last["version"] if last else "none", "events": [event]}

    def last_tracking(self, application_name):
        path = f"/streams/tracking-{application_name}"
        last = self.client.page(path, before="end", limit=1)
        return last[0] if last else None

    def insert_tracking(self, tracking):
        self.insert_events([], tracking=tracking)

    def max_tracking_id(self, application_name):
        last = self.last_tracking(application_name)
        return last["data"] if last else None
