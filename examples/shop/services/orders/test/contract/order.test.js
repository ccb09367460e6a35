// An order from the request to the event, with every neighbour as it is deployed.

import amqp from "amqplib";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "../../src/app.js";
import { EXCHANGE } from "../../src/publisher.js";

const DEADLINE_MS = 15_000;
let url;
let stop;
let queue;

before(async () => {
  queue = await amqp.connect(process.env.QUEUE_URL);
  const app = await start({ ...process.env, PORT: "0" }, "test");
  url = `http://127.0.0.1:${app.port}`;
  stop = app.stop;
  await eventually(async () => (await fetch(`${url}/healthz`)).ok);
});

after(async () => {
  await queue.close();
  await stop();
});

async function eventually(condition) {
  for (const deadline = Date.now() + DEADLINE_MS; Date.now() < deadline; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("the condition was not met in time");
}

function post(body) {
  return fetch(`${url}/orders`, { method: "POST", body: JSON.stringify(body) });
}

test("an order is priced, paid, stored and announced", async () => {
  const channel = await queue.createChannel();
  await channel.assertExchange(EXCHANGE, "topic", { durable: true });
  const inbox = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(inbox.queue, EXCHANGE, "order.created");
  const announced = new Promise((resolve) => {
    channel.consume(inbox.queue, (message) => resolve(JSON.parse(message.content)), { noAck: true });
  });

  const response = await post({ sku: "assam-100", quantity: 2 });
  assert.equal(response.status, 201);
  const order = await response.json();
  assert.equal(order.total_cents, 2 * 690);
  assert.match(order.payment_id, /^pay-/);

  assert.deepEqual(await announced, order);
  assert.deepEqual(await (await fetch(`${url}/orders/${order.id}`)).json(), order);
  const { orders } = await (await fetch(`${url}/orders`)).json();
  assert.equal(orders[0].id, order.id);
});

test("what the catalogue does not have cannot be ordered", async () => {
  const response = await post({ sku: "not-there", quantity: 1 });
  assert.equal(response.status, 422);
  assert.match((await response.json()).detail, /no item not-there/);
});

test("a report takes its time and adds up", async () => {
  const { items } = await (await fetch(`${url}/orders/report`)).json();
  assert.ok(items.some((item) => item.sku === "assam-100" && item.quantity >= 2));
});
