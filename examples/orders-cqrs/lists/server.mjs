// The service that answers questions about orders. It decides nothing and keeps nothing: lists come
// from read models, invoices from the events themselves.
//
// GET /orders?state=paid             orders in a state
// GET /search?q=tea                  orders with an item or customer of that name
// GET /revenue                       by state, once the third read model is there
// GET /orders/ID/invoice?as_of=TIME  an order's invoice as it was then
//
// `at_least=POSITION` waits until the answer knows of that event: what a command has just said.

import http from "node:http";

const LEDGER = process.env.LEDGER_URL ?? "http://127.0.0.1:2113";
const WAIT = "5s";

class Failed extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, params, accept) {
  const given = Object.entries(params).filter(([, value]) => value != null);
  const url = `${LEDGER}/v1${path}?${new URLSearchParams(given)}`;
  const answer = await fetch(url, { headers: { accept } });
  if (!answer.ok) throw new Failed(answer.status, await answer.text());
  return answer;
}

async function rows(model, query, params, atLeast) {
  const consistency = atLeast ? { at_least: atLeast, wait: WAIT } : {};
  const path = `/read-models/${model}/queries/${query}`;
  const answer = await ask(path, { ...params, ...consistency }, "application/json");
  return answer.json();
}

async function events(stream, params) {
  const answer = await ask(`/streams/${stream}`, params, "application/x-ndjson");
  const lines = (await answer.text()).split("\n").filter((line) => line);
  return lines.map((line) => JSON.parse(line));
}

async function invoice(id, asOf) {
  const lines = [];
  let customer;
  for (const { kind, data } of await events(`order-${id}`, { as_of_time: asOf })) {
    if (kind === "order-created") {
      customer = data.customer;
      lines.push(...data.items);
    } else if (kind === "item-added") {
      lines.push(data.item);
    }
  }
  if (customer === undefined) throw new Failed(404, "there was no such order");
  const total = lines.reduce((sum, item) => sum + item.price * item.quantity, 0);
  return { customer, lines, total };
}

async function answer(request) {
  const url = new URL(request.url, "http://localhost");
  const param = (name) => url.searchParams.get(name);
  const parts = url.pathname.split("/").filter((part) => part);
  if (parts[0] === "healthz") return {};
  if (parts[0] === "orders" && parts.length === 1) {
    return rows("orders", "by_state", { state: param("state") ?? "created" }, param("at_least"));
  }
  if (parts[0] === "orders" && parts[2] === "invoice") return invoice(parts[1], param("as_of"));
  if (parts[0] === "search") return rows("search", "find", { words: param("q") }, param("at_least"));
  if (parts[0] === "revenue") return rows("revenue", "by_state", {}, param("at_least"));
  throw new Failed(404, "there is no such page");
}

const server = http.createServer(async (request, response) => {
  const send = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  try {
    send(200, await answer(request));
  } catch (error) {
    send(error.status ?? 502, { error: error.message });
  }
});

server.listen(Number(process.env.PORT ?? 8082), "127.0.0.1", () => {
  console.log(`lists on port ${server.address().port}`);
});
