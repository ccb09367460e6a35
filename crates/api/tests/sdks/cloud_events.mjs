// Sends CloudEvents with the SDK, reads them back with it, and compares.

import assert from "node:assert/strict";
import { CloudEvent, HTTP } from "cloudevents";

const base = `http://${process.argv[2]}`;
const places = ["fairwayposition", "fairwaystream", "fairwayversion"];

async function call(method, path, message, accept) {
  const headers = { ...message?.headers, ...(accept && { accept }) };
  const response = await fetch(base + path, { method, headers, body: message?.body });
  const body = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${body}`);
  return { headers: Object.fromEntries(response.headers), body };
}

function plain(event) {
  const members = Object.entries(event.toJSON());
  return Object.fromEntries(members.filter(([name, value]) => !places.includes(name) && value !== undefined));
}

const events = [
  new CloudEvent({
    id: "A-1",
    source: "/shop",
    type: "com.example.order-paid",
    subject: "order-7",
    time: "2026-03-01T12:00:00.000Z",
    datacontenttype: "application/json",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    data: { sum: 5, items: ["a", "ä"] },
  }),
  new CloudEvent({
    id: "018f4a3e-0000-7000-8000-000000000001",
    source: "/shop",
    type: "com.example.order-noted",
    time: "2026-03-01T12:00:00.000Z",
    datacontenttype: "text/plain",
    data: "a note",
  }),
];

for (const mode of ["binary", "structured"]) {
  for (const [at, sent] of events.entries()) {
    const stream = `/v1/streams/node-${mode}-${at}`;
    await call("POST", `${stream}?expected=none`, HTTP[mode](sent));
    const binary = await call("GET", `${stream}/events/1?format=cloudevents-binary`);
    assert.deepEqual(plain(HTTP.toEvent(binary)), plain(sent));
    if (at === 0 || mode === "structured") {
      const structured = await call("GET", `${stream}/events/1`, undefined, "application/cloudevents+json");
      assert.deepEqual(plain(HTTP.toEvent(structured)), plain(sent));
    }
  }
}

const batch = { headers: { "content-type": "application/cloudevents-batch+json" }, body: JSON.stringify(events) };
await call("POST", "/v1/streams/node-batch", batch);
const back = await call("GET", "/v1/streams/node-batch", undefined, "application/cloudevents-batch+json");
assert.deepEqual(HTTP.toEvent(back).map(plain), events.map(plain));
