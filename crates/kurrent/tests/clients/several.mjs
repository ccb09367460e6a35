// Appends to several streams as `@kurrent/kurrentdb-client` makes them. Takes the address of a server.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  ANY,
  AppendConsistencyViolationError,
  KurrentDBClient,
  NO_STREAM,
  StreamTombstonedError,
  WrongExpectedVersionError,
  jsonEvent,
} from "@kurrent/kurrentdb-client";

const address = process.argv[2];
const client = KurrentDBClient.connectionString(`kurrentdb://${address}?tls=false`);

const name = () => `order-${randomUUID()}`;
const event = (type) => jsonEvent({ type, data: { type }, metadata: { who: "me" } });
const types = async (stream) => {
  const types = [];
  for await (const { event } of client.readStream(stream)) types.push(event.type);
  return types;
};

async function allOrNoneAreAppended() {
  const [one, two] = [name(), name()];
  const { position, responses } = await client.multiStreamAppend([
    { streamName: one, expectedState: NO_STREAM, events: [event("A"), event("B")] },
    { streamName: two, expectedState: ANY, events: [event("C")] },
  ]);
  assert(position > 0n);
  assert.deepEqual(responses, [
    { streamName: one, revision: 1n },
    { streamName: two, revision: 0n },
  ]);
  assert.deepEqual([await types(one), await types(two)], [["A", "B"], ["C"]]);
  const wrong = client.multiStreamAppend([
    { streamName: one, expectedState: 1n, events: [event("D")] },
    { streamName: two, expectedState: NO_STREAM, events: [event("E")] },
  ]);
  await assert.rejects(wrong, (error) => {
    assert(error instanceof WrongExpectedVersionError, error);
    assert.deepEqual([error.streamName, error.expectedState, error.actualState], [two, "no_stream", 0n]);
    return true;
  });
  await client.tombstoneStream(two);
  const closed = client.multiStreamAppend([{ streamName: two, expectedState: ANY, events: [event("F")] }]);
  await assert.rejects(closed, StreamTombstonedError);
  assert.deepEqual(await types(one), ["A", "B"]);
}

async function recordsAreCheckedAgainstStreams() {
  const [one, two] = [name(), name()];
  const record = (streamName, type) => ({ streamName, record: event(type) });
  const { responses } = await client.appendRecords([record(one, "A"), record(two, "B"), record(one, "C")]);
  assert.deepEqual(responses.map(({ revision }) => revision), [1n, 0n]);
  const failed = client.appendRecords(
    [record(one, "D")],
    [{ type: "streamState", streamName: two, expectedState: 5n }],
  );
  await assert.rejects(failed, (error) => {
    assert(error instanceof AppendConsistencyViolationError, error);
    assert.deepEqual(error.violations, [
      { checkIndex: 0, streamName: two, expectedState: 5n, actualState: 0n },
    ]);
    return true;
  });
  assert.deepEqual(await types(one), ["A", "C"]);
}

for (const check of [allOrNoneAreAppended, recordsAreCheckedAgainstStreams]) {
  await check();
  console.log("ok", check.name);
}
await client.dispose();
process.exit(0);
