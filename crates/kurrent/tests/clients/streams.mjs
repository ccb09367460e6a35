// Streams as `@kurrent/kurrentdb-client` sees them. Takes the address of a server.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  ANY,
  BACKWARDS,
  END,
  FORWARDS,
  KurrentDBClient,
  MaxAppendSizeExceededError,
  NO_STREAM,
  START,
  STREAM_EXISTS,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
  binaryEvent,
  eventTypeFilter,
  excludeSystemEvents,
  jsonEvent,
  streamNameFilter,
} from "@kurrent/kurrentdb-client";

const address = process.argv[2];
const client = KurrentDBClient.connectionString(`kurrentdb://${address}?tls=false`);

const name = (category = "order") => `${category}-${randomUUID()}`;
const event = (type = "OrderCreated", data = { a: 1 }, more = {}) => jsonEvent({ type, data, ...more });
const all = async (reading) => {
  const events = [];
  for await (const { event } of reading) events.push(event);
  return events;
};
const types = async (reading) => (await all(reading)).map((event) => event.type);

async function appendsKnowTheVersion() {
  const stream = name();
  const first = [event(), event("OrderPaid")];
  const appended = await client.appendToStream(stream, first, { streamState: NO_STREAM });
  assert.equal(appended.success, true);
  assert.equal(appended.nextExpectedRevision, 1n);
  assert.equal(appended.position.commit, appended.position.prepare);
  const again = await client.appendToStream(stream, first, { streamState: NO_STREAM });
  assert.deepEqual(again, appended, "an append that is tried again does nothing");
  await client.appendToStream(stream, event(), { streamState: 1n });
  await client.appendToStream(stream, event(), { streamState: STREAM_EXISTS });
  await client.appendToStream(stream, event(), { streamState: ANY });
  await assert.rejects(client.appendToStream(stream, event(), { streamState: 1n }), (error) => {
    assert(error instanceof WrongExpectedVersionError, error);
    assert.equal(error.streamName, stream);
    assert.equal(error.expectedState, 1n);
    assert.equal(error.actualState, 4n);
    return true;
  });
  await assert.rejects(client.appendToStream(name(), event(), { streamState: STREAM_EXISTS }), (error) => {
    assert(error instanceof WrongExpectedVersionError, error);
    assert.equal(error.actualState, "no_stream");
    return true;
  });
  const lenient = KurrentDBClient.connectionString(
    `kurrentdb://${address}?tls=false&throwOnAppendFailure=false`,
  );
  const refused = await lenient.appendToStream(stream, event(), { streamState: NO_STREAM });
  assert.equal(refused.success, false);
  await lenient.dispose();
}

async function appendsOfOneCallAreMultiplexed() {
  const streams = Array.from({ length: 200 }, () => name("many"));
  const appends = streams.map((stream) => client.appendToStream(stream, [event("A"), event("B")]));
  const positions = (await Promise.all(appends)).map((appended) => appended.position.commit);
  assert.equal(new Set(positions).size, streams.length);
  for (const stream of streams.slice(0, 3)) {
    assert.deepEqual(await types(client.readStream(stream)), ["A", "B"]);
  }
}

async function appendsWithCredentialsAreSingle() {
  const stream = name();
  const credentials = { username: "somebody", password: "anything" };
  const appended = await client.appendToStream(stream, event(), { credentials, streamState: NO_STREAM });
  assert.equal(appended.nextExpectedRevision, 0n);
  await assert.rejects(
    client.appendToStream(stream, event(), { credentials, streamState: 5n }),
    WrongExpectedVersionError,
  );
}

async function largeAppendsAreRefused() {
  const large = event("Large", { text: "x".repeat(2 << 20) });
  await assert.rejects(client.appendToStream(name(), large), (error) => {
    assert(error instanceof MaxAppendSizeExceededError, error);
    assert.equal(error.maxAppendSize, 1 << 20);
    return true;
  });
  const stream = name();
  const many = Array.from({ length: 12 }, () => event("Big", { text: "x".repeat(900_000) }));
  await client.appendToStream(stream, many);
  assert.equal((await all(client.readStream(stream))).length, 12, "parts of one append belong together");
}

async function eventsComeBackAsTheyWere() {
  const stream = name();
  const json = event("Json", { b: [1, 2.5, "é"] }, { metadata: { who: "me" } });
  const binary = binaryEvent({ type: "Bytes", data: Uint8Array.from([0, 1, 255]), metadata: Uint8Array.from([255]) });
  await client.appendToStream(stream, [json, binary]);
  const [first, second] = await all(client.readStream(stream));
  assert.deepEqual([first.id, first.type, first.isJson], [json.id, "Json", true]);
  assert.deepEqual([first.data, first.metadata], [json.data, json.metadata]);
  assert.deepEqual([first.streamId, first.revision], [stream, 0n]);
  assert(Math.abs(first.created - Date.now()) < 60_000, first.created);
  assert.deepEqual([second.id, second.isJson, [...second.data]], [binary.id, false, [0, 1, 255]]);
}

async function streamsAreReadBothWays() {
  const stream = name();
  const events = Array.from({ length: 1200 }, (_, number) => event(`E${number}`));
  await client.appendToStream(stream, events);
  const read = async (options) => (await types(client.readStream(stream, options))).map((type) => Number(type.slice(1)));
  const numbers = events.map((_, number) => number);
  assert.deepEqual(await read(), numbers);
  assert.deepEqual(await read({ direction: BACKWARDS, fromRevision: END }), numbers.toReversed());
  assert.deepEqual(await read({ fromRevision: 1198n }), [1198, 1199]);
  assert.deepEqual(await read({ fromRevision: 2n, direction: BACKWARDS }), [2, 1, 0]);
  assert.deepEqual(await read({ maxCount: 2, direction: FORWARDS, fromRevision: START }), [0, 1]);
  await assert.rejects(all(client.readStream(name())), StreamNotFoundError);
}

async function allIsReadBothWays() {
  const start = await client.appendToStream(name(), event("Start"));
  await client.appendToStream(name("bill"), [event("Bill0"), event("Bill1")]);
  const options = { fromPosition: start.position };
  assert.deepEqual(await types(client.readAll(options)), ["Start", "Bill0", "Bill1"]);
  assert.deepEqual(
    await types(client.readAll({ fromPosition: END, direction: BACKWARDS, maxCount: 2 })),
    ["Bill1", "Bill0"],
  );
  const filter = eventTypeFilter({ prefixes: ["Bill1", "Sta"] });
  assert.deepEqual(await types(client.readAll({ ...options, filter })), ["Start", "Bill1"]);
}

async function streamsHaveMetadata() {
  const stream = name();
  await client.appendToStream(stream, Array.from({ length: 5 }, (_, number) => event(`E${number}`)));
  assert.equal((await client.getStreamMetadata(stream)).metadata, undefined);
  await client.setStreamMetadata(stream, { maxCount: 2, colour: "red" });
  const { metadata } = await client.getStreamMetadata(stream);
  assert.deepEqual(metadata, { maxCount: 2, colour: "red" });
  assert.deepEqual(await types(client.readStream(stream)), ["E3", "E4"]);
  await client.setStreamMetadata(stream, { truncateBefore: 4 });
  assert.deepEqual(await types(client.readStream(stream)), ["E4"]);
}

async function streamsAreDeleted() {
  const stream = name();
  await client.appendToStream(stream, [event(), event()]);
  await assert.rejects(client.deleteStream(stream, { expectedRevision: 7n }), (error) => {
    assert(error instanceof WrongExpectedVersionError, error);
    assert.deepEqual([error.streamName, error.expectedState, error.actualState], [stream, 7n, 1n]);
    return true;
  });
  const { position } = await client.deleteStream(stream, { expectedRevision: 1n });
  assert(position.commit > 0n);
  await assert.rejects(all(client.readStream(stream)), StreamNotFoundError);
  await client.appendToStream(stream, event("Anew"));
  assert.deepEqual(await types(client.readStream(stream)), ["Anew"]);
  await client.tombstoneStream(stream);
  await assert.rejects(client.appendToStream(stream, event()), StreamDeletedError);
  await assert.rejects(all(client.readStream(stream)), StreamDeletedError);
  await assert.rejects(client.tombstoneStream(stream), (error) => {
    assert(error instanceof StreamDeletedError, error);
    assert.equal(error.streamName, stream);
    return true;
  });
}

// Takes from a subscription until `until` says that it is enough.
async function take(subscription, count) {
  const events = [];
  for await (const { event } of subscription) {
    events.push(event.type);
    if (events.length === count) break;
  }
  await subscription.unsubscribe();
  return events;
}

async function streamsAreFollowed() {
  const stream = name();
  await client.appendToStream(stream, [event("A"), event("B"), event("C")]);
  const subscription = client.subscribeToStream(stream, { fromRevision: 0n });
  const caughtUp = new Promise((resolve) => subscription.on("caughtUp", resolve));
  const taken = take(subscription, 3);
  const { revision, date } = await caughtUp;
  assert.equal(revision, 2n);
  assert(date instanceof Date);
  assert(subscription.id);
  await client.appendToStream(stream, event("D"));
  assert.deepEqual(await taken, ["B", "C", "D"], "the event with the revision is not part of it");

  const live = client.subscribeToStream(stream, { fromRevision: END });
  const isLive = new Promise((resolve) => live.on("caughtUp", resolve));
  const next = take(live, 1);
  await isLive;
  await client.appendToStream(stream, event("E"));
  assert.deepEqual(await next, ["E"]);

  const coming = name();
  const early = take(client.subscribeToStream(coming), 1);
  await client.appendToStream(coming, event("First"));
  assert.deepEqual(await early, ["First"], "a stream is followed that is not there yet");
}

async function allIsFollowedWithFilters() {
  const { position } = await client.appendToStream(name(), event("Start"));
  const bill = name("bill");
  await client.appendToStream(bill, Array.from({ length: 20 }, (_, number) => event(`Bill${number}`)));
  const checkpoints = [];
  const filter = streamNameFilter({
    prefixes: ["bill-"],
    maxSearchWindow: 2,
    checkpointInterval: 2,
    checkpointReached: async (_, { commit }) => checkpoints.push(commit),
  });
  const followed = await take(client.subscribeToAll({ fromPosition: position, filter }), 20);
  assert.equal(followed.length, 20);
  assert.equal(followed[0], "Bill0", "the event at the position is not part of it");
  assert(checkpoints.length >= 4, checkpoints);
  assert.equal(checkpoints[0], position.commit + 4n);

  const plain = client.subscribeToAll({ fromPosition: position, filter: excludeSystemEvents() });
  await client.setStreamMetadata(bill, { colour: "blue" });
  await client.appendToStream(bill, event("Last"));
  assert.equal((await take(plain, 21)).at(-1), "Last");

  const matching = client.subscribeToAll({ fromPosition: position, filter: eventTypeFilter({ regex: "^Bill1[0-3]$|^Last$" }) });
  assert.deepEqual(await take(matching, 5), ["Bill10", "Bill11", "Bill12", "Bill13", "Last"]);
}

async function theServerIsFound() {
  const discovering = KurrentDBClient.connectionString(`kurrentdb+discover://${address}?tls=false`);
  await discovering.appendToStream(name(), event());
  assert.equal((await discovering.capabilities).serverVersion.split(".").length, 3);
  assert((await types(discovering.readAll({ maxCount: 1 }))).length === 1);
  await discovering.dispose();
}

const checks = [
  appendsKnowTheVersion,
  appendsOfOneCallAreMultiplexed,
  appendsWithCredentialsAreSingle,
  largeAppendsAreRefused,
  eventsComeBackAsTheyWere,
  streamsAreReadBothWays,
  allIsReadBothWays,
  streamsHaveMetadata,
  streamsAreDeleted,
  streamsAreFollowed,
  allIsFollowedWithFilters,
  theServerIsFound,
];
for (const check of checks) {
  await check();
  console.log("ok", check.name);
}
await client.dispose();
process.exit(0);
