// The services that orders asks: `catalog` and `payments`.

import { setTimeout as pause } from "node:timers/promises";
import { log } from "./log.js";
import { Problem } from "./problem.js";

const ATTEMPTS = 3;
const TIMEOUT_MS = 5000;
const PAUSE_MS = 100;

export class Catalog {
  constructor(url) {
    this.url = url;
  }

  // The item, or undefined if there is none.
  async item(sku) {
    const response = await ask("catalog", `${this.url}/catalog/${encodeURIComponent(sku)}`);
    return response.status === 404 ? undefined : read("catalog", response);
  }
}

export class Payments {
  constructor(url) {
    this.url = url;
  }

  // Charges once for an order, however often it is called.
  async charge(orderId, amountCents) {
    const response = await ask("payments", `${this.url}/payments`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": orderId },
      body: JSON.stringify({ order_id: orderId, amount_cents: amountCents }),
    });
    return read("payments", response);
  }
}

// All that is asked may be asked again, so a failure on the way is tried again.
async function ask(service, url, options) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(url, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (response.status < 502 || attempt === ATTEMPTS) return response;
      await response.arrayBuffer();
    } catch (error) {
      log.error("a colleague did not answer", { service, attempt, error: String(error.cause ?? error) });
      if (attempt === ATTEMPTS) throw new Problem(503, `${service} is not available`);
    }
    await pause(PAUSE_MS * attempt);
  }
}

async function read(service, response) {
  const body = await response.json();
  if (response.ok) return body;
  log.error("a colleague refused", { service, status: response.status, detail: body.detail });
  throw new Problem(502, `${service} answered ${response.status}`);
}
