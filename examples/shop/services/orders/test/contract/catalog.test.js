// What orders expects of the real catalogue.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Catalog } from "../../src/colleagues.js";

const catalog = new Catalog(process.env.CATALOG_URL);

async function put(sku, item) {
  const response = await fetch(`${catalog.url}/catalog/${sku}`, { method: "PUT", body: JSON.stringify(item) });
  assert.equal(response.status, 200);
}

test("an item has a name and a price in whole cents", async () => {
  await put("contract-1", { name: "Contract", price_cents: 1234 });
  assert.deepEqual(await catalog.item("contract-1"), { sku: "contract-1", name: "Contract", price_cents: 1234 });
});

test("the newest price counts", async () => {
  await put("contract-1", { name: "Contract", price_cents: 1500 });
  assert.equal((await catalog.item("contract-1")).price_cents, 1500);
});

test("an item that is not there is told apart from a failure", async () => {
  assert.equal(await catalog.item("not-there"), undefined);
  assert.equal(await catalog.item("not a/sku"), undefined);
});

test("every item that is listed can be read", async () => {
  const { items } = await (await fetch(`${catalog.url}/catalog`)).json();
  assert.ok(items.length > 0);
  for (const item of items) assert.deepEqual(await catalog.item(item.sku), item);
});
