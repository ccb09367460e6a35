// What a request for an order is, and what it costs.

import { Problem } from "./problem.js";

const QUANTITY_MAX = 100;

export function parseRequest(body) {
  const { sku, quantity, ...rest } = body && typeof body === "object" ? body : {};
  if (typeof sku !== "string" || sku === "") throw new Problem(422, "an order has a sku");
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > QUANTITY_MAX) {
    throw new Problem(422, `quantity is a whole number from 1 to ${QUANTITY_MAX}`);
  }
  if (Object.keys(rest).length > 0) throw new Problem(422, "an order has a sku and a quantity only");
  return { sku, quantity };
}

export function price(item, quantity) {
  return item.price_cents * quantity;
}
