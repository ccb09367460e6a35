// A served ledger as `@kurrent/kurrentdb-client` sees it. Takes the connection strings of who may do
// everything, and of somebody who may not append to carts, if the server knows anybody.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  AccessDeniedError,
  KurrentDBClient,
  PARK,
  START,
  jsonEvent,
  persistentSubscriptionToStreamSettingsFromDefaults as settings,
  streamNameFilter,
} from "@kurrent/kurrentdb-client";

const [everybody, somebody] = process.argv.slice(2);
const client = KurrentDBClient.connectionString(everybody);
const stream = `order-${randomUUID()}`;
const append = (stream, ...types) =>
  client.appendToStream(stream, types.map((type) => jsonEvent({ type, data: { total: 7 } })));

/** The types of the first events of what gives them. */
async function take(source, count, then = () => {}) {
  const taken = [];
  for await (const resolved of source) {
    await then(resolved);
    taken.push(resolved.event.type);
    if (taken.length === count) break;
  }
  return taken;
}

const { position } = await append(stream, "Created");
assert.deepEqual(await take(client.readStream(stream), 1), ["Created"]);
const filter = streamNameFilter({ prefixes: [stream] });
const following = take(client.subscribeToAll({ fromPosition: position, filter }), 2);
await append(stream, "Good", "Bad");
assert.deepEqual(await following, ["Good", "Bad"]);

await client.createPersistentSubscriptionToStream(stream, "mails", settings({ startFrom: START }));
const consumer = client.subscribeToPersistentSubscriptionToStream(stream, "mails");
const taken = await take(consumer, 3, (resolved) =>
  resolved.event.type === "Bad" ? consumer.nack(PARK, "bad", resolved) : consumer.ack(resolved));
assert.deepEqual(taken, ["Created", "Good", "Bad"]);
await consumer.unsubscribe();

if (somebody) {
  const other = KurrentDBClient.connectionString(somebody);
  const cart = other.appendToStream("cart-1", [jsonEvent({ type: "Made", data: {} })]);
  await assert.rejects(cart, AccessDeniedError);
  await other.dispose();
}
await client.dispose();
