import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { test } from "node:test";
import { Server } from "../../src/server.js";

async function listening(routes) {
  const server = new Server(routes, "1.2.3");
  return { server, port: await server.listen(0) };
}

function ask(port, options, body) {
  return new Promise((resolve, reject) => {
    const sent = request({ port, ...options }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode, headers: response.headers, body: JSON.parse(Buffer.concat(chunks)) });
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

test("answers name the version and keep the connection", async () => {
  const { server, port } = await listening([["GET", /^\/quick$/, async () => [200, {}]]]);
  const agent = new Agent({ keepAlive: true });
  for (let i = 0; i < 3; i += 1) {
    const { headers } = await ask(port, { path: "/quick", agent });
    assert.equal(headers["x-service-version"], "1.2.3");
    assert.equal(headers.connection, "keep-alive");
  }
  agent.destroy();
  await server.drain();
});

test("what has no route, method or meaning is a problem", async () => {
  const { server, port } = await listening([["POST", /^\/echo$/, async (body) => [200, body]]]);
  const post = { method: "POST", path: "/echo" };
  assert.deepEqual((await ask(port, post, '{"a":1}')).body, { a: 1 });
  assert.equal((await ask(port, post, "not json")).status, 400);
  assert.equal((await ask(port, post, "x".repeat(100_000))).status, 413);
  assert.equal((await ask(port, { path: "/echo" })).status, 405);
  assert.equal((await ask(port, { path: "/nothing" })).status, 404);
  await server.drain();
});

test("a drain waits for requests in flight and closes connections", async () => {
  let leave;
  const left = new Promise((resolve) => (leave = resolve));
  let enter;
  const entered = new Promise((resolve) => (enter = resolve));
  const slow = async () => {
    enter();
    await left;
    return [200, { slow: true }];
  };
  const { server, port } = await listening([
    ["GET", /^\/slow$/, slow],
    ["GET", /^\/quick$/, async () => [200, {}]],
  ]);
  const agent = new Agent({ keepAlive: true });
  const waiting = ask(port, { path: "/slow", agent });
  await entered;

  let drained = false;
  const drain = server.drain().then(() => (drained = true));
  const late = await ask(port, { path: "/quick", agent });
  assert.equal(late.status, 200);
  assert.equal(late.headers.connection, "close");
  assert.equal(drained, false);

  leave();
  assert.deepEqual((await waiting).body, { slow: true });
  await drain;
  await assert.rejects(ask(port, { path: "/quick" }), { code: "ECONNREFUSED" });
});
