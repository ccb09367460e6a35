// Orders beside a real PostgreSQL, at DATABASE_URL.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import pg from "pg";
import { Store } from "../../src/store.js";

const MIGRATIONS = new URL("../../migrations/", import.meta.url);
const URL_OF_DATABASE = process.env.DATABASE_URL;
let store;

beforeEach(async () => {
  await sql("DROP TABLE IF EXISTS orders, migrations");
  store = new Store(URL_OF_DATABASE);
});
afterEach(() => store.close());

async function sql(text) {
  const client = new pg.Client(URL_OF_DATABASE);
  await client.connect();
  await client.query(text);
  await client.end();
}

function assam() {
  const id = randomUUID();
  return { id, sku: "assam-100", name: "Assam", quantity: 2, total_cents: 1380, payment_id: "pay-1" };
}

test("replicas that start at once migrate once", async () => {
  const replicas = Array.from({ length: 5 }, () => new Store(URL_OF_DATABASE));
  await Promise.all(replicas.map((replica) => replica.migrate(MIGRATIONS)));
  await Promise.all(replicas.map((replica) => replica.close()));
});

test("a service is ready after its migrations", async () => {
  await assert.rejects(store.check(), { status: 503 });
  await store.migrate(MIGRATIONS);
  await store.check();
});

test("orders are kept, listed and summed up", async () => {
  await store.migrate(MIGRATIONS);
  const order = assam();
  const stored = await store.add(order);
  assert.deepEqual({ ...stored, created_at: undefined }, { ...order, created_at: undefined });
  await store.add(assam());
  assert.deepEqual(await store.order(order.id), stored);
  assert.equal(await store.order(randomUUID()), undefined);
  assert.equal((await store.newest()).length, 2);
  assert.deepEqual(await store.salesByItem(), [
    { sku: "assam-100", orders: 2, quantity: 4, total_cents: 2760 },
  ]);
});

test("an order is announced until that succeeds, and then no more", async () => {
  await store.migrate(MIGRATIONS);
  const { id } = await store.add(assam());
  const told = [];
  await assert.rejects(store.announce(() => Promise.reject(new Error("no queue"))));
  await store.announce(async (order) => told.push(order.id));
  await store.announce(async (order) => told.push(order.id));
  assert.deepEqual(told, [id]);
});

test("a lost connection is replaced", async () => {
  await store.migrate(MIGRATIONS);
  await sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid() AND usename = current_user");
  const deadline = Date.now() + 5000;
  for (;;) {
    try {
      return await store.check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
});
