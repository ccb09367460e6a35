import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRequest, price } from "../../src/order.js";

test("a well formed request is taken", () => {
  assert.deepEqual(parseRequest({ sku: "assam-100", quantity: 2 }), { sku: "assam-100", quantity: 2 });
});

for (const body of [
  undefined,
  null,
  "assam",
  {},
  { sku: "", quantity: 1 },
  { sku: "assam-100" },
  { sku: "assam-100", quantity: 0 },
  { sku: "assam-100", quantity: 1.5 },
  { sku: "assam-100", quantity: "2" },
  { sku: "assam-100", quantity: 101 },
  { sku: "assam-100", quantity: 1, price: 1 },
]) {
  test(`${JSON.stringify(body)} is refused`, () => {
    assert.throws(() => parseRequest(body), { status: 422 });
  });
}

test("an order costs its items", () => {
  assert.equal(price({ price_cents: 690 }, 3), 2070);
});
