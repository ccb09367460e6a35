// The page's client beside the real services, each reached by its name.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { euros, Shop } from "../../public/shop.js";

const DEADLINE_MS = 15_000;
const service = (path) => `http://${path.split("/")[1]}:8080`;
const shop = new Shop((path) => service(path) + path);

async function eventually(condition) {
  for (const deadline = Date.now() + DEADLINE_MS; Date.now() < deadline; ) {
    const met = await condition();
    if (met) return met;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("the condition was not met in time");
}

before(async () => {
  await eventually(async () => {
    const health = await fetch(`${service("/notifications")}/healthz`);
    return (await health.json()).queue === "connected";
  });
});

test("an order goes from the catalogue through the queue to a notification", async () => {
  const [item] = await shop.items();
  const order = await shop.order(item.sku, 3);
  assert.equal(order.total_cents, 3 * item.price_cents);
  assert.equal((await shop.orders())[0].id, order.id);

  const notification = await eventually(async () =>
    (await shop.notifications()).find((each) => each.order_id === order.id),
  );
  assert.equal(notification.text, `3 × ${item.name} ordered for ${euros(order.total_cents)}`);
});

test("what is refused says why", async () => {
  await assert.rejects(shop.order("not-there", 1), /there is no item not-there/);
});
