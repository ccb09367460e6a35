import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { Catalog, Payments } from "../../src/colleagues.js";

// A colleague that gives these answers in turn; `undefined` drops the connection.
async function colleague(t, answers) {
  const seen = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url, key: request.headers["idempotency-key"] });
    const answer = answers.shift();
    if (!answer) return request.socket.destroy();
    response.writeHead(answer[0]).end(JSON.stringify(answer[1]));
  });
  await new Promise((resolve) => server.listen(0, resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, seen };
}

test("an item is read, and one that is not there is undefined", async (t) => {
  const { url, seen } = await colleague(t, [[200, { sku: "a b" }], [404, { detail: "none" }]]);
  const catalog = new Catalog(url);
  assert.deepEqual(await catalog.item("a b"), { sku: "a b" });
  assert.equal(await catalog.item("nothing"), undefined);
  assert.equal(seen[0].url, "/catalog/a%20b");
});

test("a charge is tried again with the same key", async (t) => {
  const { url, seen } = await colleague(t, [undefined, [503, {}], [201, { id: "pay-1" }]]);
  assert.deepEqual(await new Payments(url).charge("order-1", 690), { id: "pay-1" });
  assert.deepEqual(seen.map((each) => each.key), ["order-1", "order-1", "order-1"]);
});

test("a colleague that stays away is a 503, one that refuses a 502", async (t) => {
  const { url } = await colleague(t, [undefined, undefined, undefined, [422, { detail: "no" }]]);
  await assert.rejects(new Payments(url).charge("order-1", 690), { status: 503 });
  await assert.rejects(new Payments(url).charge("order-1", 690), { status: 502 });
});
