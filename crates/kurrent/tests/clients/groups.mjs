// Persistent subscriptions as `@kurrent/kurrentdb-client` sees them. Takes the address of a server.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  END,
  KurrentDBClient,
  PARK,
  PINNED_BY_CORRELATION,
  PersistentSubscriptionDoesNotExistError,
  PersistentSubscriptionDroppedError,
  PersistentSubscriptionExistsError,
  PersistentSubscriptionMaximumSubscribersReachedError,
  RETRY,
  ROUND_ROBIN,
  SKIP,
  START,
  eventTypeFilter,
  jsonEvent,
  persistentSubscriptionToAllSettingsFromDefaults as toAll,
  persistentSubscriptionToStreamSettingsFromDefaults as settingsFromDefaults,
  streamNameFilter,
} from "@kurrent/kurrentdb-client";

const address = process.argv[2];
const client = KurrentDBClient.connectionString(`kurrentdb://${address}?tls=false&connectionName=worker-7`);

// Without a word about it, a group of this client starts at the end.
const toStream = (changes) => settingsFromDefaults({ startFrom: START, ...changes });
const name = (category = "order") => `${category}-${randomUUID()}`;
const append = (stream, ...types) =>
  client.appendToStream(stream, types.map((type) => jsonEvent({ type, data: {} })));

async function take(consumer, count, then = (resolved) => consumer.ack(resolved)) {
  const taken = [];
  for await (const resolved of consumer) {
    await then(resolved);
    taken.push(resolved.event.type);
    if (taken.length === count) break;
  }
  return taken;
}

async function eventually(holds) {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    assert(Date.now() < deadline, "it did not come to be");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function aStreamIsConsumed() {
  const [stream, group] = [name(), name("mails")];
  await append(stream, "A", "B", "C");
  await client.createPersistentSubscriptionToStream(stream, group, toStream());
  await assert.rejects(client.createPersistentSubscriptionToStream(stream, group, toStream()), (error) => {
    assert(error instanceof PersistentSubscriptionExistsError, error);
    assert.deepEqual([error.streamName, error.groupName], [stream, group]);
    return true;
  });
  const consumer = client.subscribeToPersistentSubscriptionToStream(stream, group);
  const confirmed = new Promise((resolve) => consumer.on("confirmation", resolve));
  const taken = take(consumer, 3);
  await confirmed;
  assert.deepEqual(await taken, ["A", "B", "C"]);
  const info = () => client.getPersistentSubscriptionToStreamInfo(stream, group);
  await eventually(async () => (await info()).stats.lastCheckpointedEventRevision === 2n);
  await consumer.unsubscribe();
}

async function groupsStartWhereTheyAreTold() {
  const stream = name();
  const { position } = await append(stream, "A");
  await append(stream, "B");
  const first = async (consumer) => {
    const taken = await take(consumer, 1);
    await consumer.unsubscribe();
    return taken[0];
  };
  const ofStream = async (startFrom) => {
    const group = name("start");
    await client.createPersistentSubscriptionToStream(stream, group, toStream({ startFrom }));
    await append(stream, "Last");
    const { settings } = await client.getPersistentSubscriptionToStreamInfo(stream, group);
    assert.deepEqual(settings.startFrom, startFrom);
    return first(client.subscribeToPersistentSubscriptionToStream(stream, group));
  };
  assert.equal(await ofStream(START), "A");
  assert.equal(await ofStream(1n), "B");
  assert.equal(await ofStream(END), "Last");
  const group = name("start");
  await client.createPersistentSubscriptionToAll(group, toAll({ startFrom: position }));
  assert.equal(await first(client.subscribeToPersistentSubscriptionToAll(group)), "A");
}

async function allIsConsumedWithFilters() {
  const [orders, bills] = [name("order"), name("bill")];
  const filters = [
    [eventTypeFilter({ prefixes: ["Order"] }), ["Order0", "Order1"]],
    [eventTypeFilter({ regex: "^Order[01]$" }), ["Order0", "Order1"]],
    [streamNameFilter({ prefixes: ["bill-"] }), ["Bill0", "Bill1"]],
  ];
  for (const [filter, wanted] of filters) {
    const group = name("some");
    await client.createPersistentSubscriptionToAll(group, toAll({ startFrom: END }), { filter });
    for (const number of [0, 1]) {
      await append(orders, `Order${number}`);
      await append(bills, `Bill${number}`);
    }
    const consumer = client.subscribeToPersistentSubscriptionToAll(group);
    assert.deepEqual(await take(consumer, 2), wanted);
    await consumer.unsubscribe();
    const info = await client.getPersistentSubscriptionToAllInfo(group);
    assert.equal(info.eventSource, "$all");
    await client.deletePersistentSubscriptionToAll(group);
  }
}

async function eventsAreRetriedParkedSkippedAndReplayed() {
  const [stream, group] = [name(), name("work")];
  await client.createPersistentSubscriptionToStream(stream, group, toStream({ maxRetryCount: 2 }));
  await append(stream, "Retried", "Parked", "Skipped", "Good");
  const consumer = client.subscribeToPersistentSubscriptionToStream(stream, group);
  const tries = [];
  await take(consumer, 6, async (resolved) => {
    switch (resolved.event.type) {
      case "Retried":
        tries.push(resolved.retryCount);
        return consumer.nack(RETRY, "not now", resolved);
      case "Parked":
        return consumer.nack(PARK, "never", resolved);
      case "Skipped":
        return consumer.nack(SKIP, "who cares", resolved);
      default:
        return consumer.ack(resolved);
    }
  });
  assert.deepEqual(tries, [0, 1, 2]);
  const parked = async () =>
    Number((await client.getPersistentSubscriptionToStreamInfo(stream, group)).stats.parkedMessageCount);
  await eventually(async () => (await parked()) === 2);
  const again = client.subscribeToPersistentSubscriptionToStream(stream, group);
  const replayed = take(again, 2);
  await client.replayParkedMessagesToStream(stream, group);
  assert.deepEqual((await replayed).sort(), ["Parked", "Retried"]);
  await eventually(async () => (await parked()) === 0);
  await again.unsubscribe();
}

async function consumersCompete() {
  const [stream, group] = [name(), name("pool")];
  const settings = toStream({ consumerStrategyName: ROUND_ROBIN, maxSubscriberCount: 2 });
  await client.createPersistentSubscriptionToStream(stream, group, settings);
  const consumers = [0, 1].map(() => client.subscribeToPersistentSubscriptionToStream(stream, group));
  await Promise.all(consumers.map((consumer) => new Promise((resolve) => consumer.on("confirmation", resolve).resume())));
  const third = client.subscribeToPersistentSubscriptionToStream(stream, group);
  await assert.rejects(take(third, 1), PersistentSubscriptionMaximumSubscribersReachedError);
  const { connections } = await client.getPersistentSubscriptionToStreamInfo(stream, group);
  assert.deepEqual(connections.map(({ connectionName }) => connectionName), ["worker-7", "worker-7"]);
  await Promise.all(consumers.map((consumer) => consumer.unsubscribe()));
}

async function groupsAreListedChangedAndRemoved() {
  const [stream, group, other] = [name(), name("group"), name("other")];
  const unknown = [
    () => client.getPersistentSubscriptionToStreamInfo(stream, group),
    () => client.updatePersistentSubscriptionToStream(stream, group, toStream()),
    () => client.deletePersistentSubscriptionToStream(stream, group),
    () => client.replayParkedMessagesToStream(stream, group),
    () => take(client.subscribeToPersistentSubscriptionToStream(stream, group), 1),
    () => client.getPersistentSubscriptionToAllInfo(group),
  ];
  for (const call of unknown) {
    await assert.rejects(call(), PersistentSubscriptionDoesNotExistError);
  }
  const settings = toStream({ consumerStrategyName: PINNED_BY_CORRELATION, messageTimeout: 12_345 });
  await client.createPersistentSubscriptionToStream(stream, group, settings);
  await client.createPersistentSubscriptionToAll(other, toAll());
  const info = await client.getPersistentSubscriptionToStreamInfo(stream, group);
  assert.deepEqual(info.settings, settings);
  const changed = toStream({ maxRetryCount: 3, resolveLinkTos: true, maxSubscriberCount: 7 });
  await client.updatePersistentSubscriptionToStream(stream, group, changed);
  assert.deepEqual((await client.getPersistentSubscriptionToStreamInfo(stream, group)).settings, changed);
  await client.updatePersistentSubscriptionToAll(other, toAll({ maxRetryCount: 3 }));
  assert.equal((await client.getPersistentSubscriptionToAllInfo(other)).settings.maxRetryCount, 3);

  const sources = (infos) => infos.map(({ eventSource, groupName }) => `${eventSource}/${groupName}`);
  const all = sources(await client.listAllPersistentSubscriptions());
  assert(all.includes(`${stream}/${group}`) && all.includes(`$all/${other}`), all);
  assert.deepEqual(sources(await client.listPersistentSubscriptionsToStream(stream)), [`${stream}/${group}`]);
  assert(sources(await client.listPersistentSubscriptionsToAll()).includes(`$all/${other}`));
  await client.restartPersistentSubscriptionSubsystem();

  const consumer = client.subscribeToPersistentSubscriptionToStream(stream, group);
  const ended = assert.rejects(take(consumer, 1), PersistentSubscriptionDroppedError);
  await eventually(async () => {
    const { connections } = await client.getPersistentSubscriptionToStreamInfo(stream, group);
    return connections.length === 1;
  });
  await client.deletePersistentSubscriptionToStream(stream, group);
  await ended;
  await client.replayParkedMessagesToAll(other);
  await client.deletePersistentSubscriptionToAll(other);
  assert.deepEqual(await client.listPersistentSubscriptionsToStream(stream), []);
}

const checks = [
  aStreamIsConsumed,
  groupsStartWhereTheyAreTold,
  allIsConsumedWithFilters,
  eventsAreRetriedParkedSkippedAndReplayed,
  consumersCompete,
  groupsAreListedChangedAndRemoved,
];
for (const check of checks) {
  await check();
  console.log("ok", check.name);
}
await client.dispose();
process.exit(0);
