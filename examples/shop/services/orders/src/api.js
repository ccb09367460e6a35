// The HTTP interface.

import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { parseRequest, price } from "./order.js";
import { Problem } from "./problem.js";

const ID = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})";
// A report takes its time, so that it does not compete with orders.
const REPORT_MS = 2000;

export function routes({ store, catalog, payments, announcer }) {
  const health = async () => {
    await store.check();
    return [200, { status: "ok" }];
  };

  const place = async (body) => {
    const { sku, quantity } = parseRequest(body);
    const item = await catalog.item(sku);
    if (!item) throw new Problem(422, `there is no item ${sku}`);
    const id = randomUUID();
    const total_cents = price(item, quantity);
    const payment = await payments.charge(id, total_cents);
    const order = { id, sku, name: item.name, quantity, total_cents, payment_id: payment.id };
    const stored = await store.add(order);
    announcer.wake();
    return [201, stored];
  };

  const newest = async () => [200, { orders: await store.newest() }];

  const one = async (id) => {
    const order = await store.order(id);
    if (!order) throw new Problem(404, `there is no order ${id}`);
    return [200, order];
  };

  const report = async () => {
    await pause(REPORT_MS);
    return [200, { items: await store.salesByItem() }];
  };

  return [
    ["GET", /^\/healthz$/, health],
    ["POST", /^\/orders$/, place],
    ["GET", /^\/orders$/, newest],
    ["GET", /^\/orders\/report$/, report],
    ["GET", new RegExp(`^/orders/${ID}$`), one],
  ];
}
