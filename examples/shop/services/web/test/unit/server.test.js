import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFiles } from "../../src/files.js";
import { Server } from "../../src/server.js";

let server;
let url;

before(async () => {
  server = new Server(await readFiles(new URL("../../public/", import.meta.url)), "1.2.3");
  url = `http://127.0.0.1:${await server.listen(0)}`;
});

after(() => server.drain());

test("the page is served with its version", async () => {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type"), /^text\/html/);
  assert.equal(response.headers.get("x-service-version"), "1.2.3");
  assert.match(await response.text(), /^<!doctype html>/);
});

test("a page that was not changed is not sent again", async () => {
  const tag = (await fetch(`${url}/app.js`)).headers.get("etag");
  const again = await fetch(`${url}/app.js`, { headers: { "If-None-Match": tag } });
  assert.equal(again.status, 304);
});

test("nothing else is served", async () => {
  assert.equal((await fetch(`${url}/../package.json`)).status, 404);
  assert.equal((await fetch(`${url}/%2e%2e/package.json`)).status, 404);
  assert.equal((await fetch(url, { method: "POST", body: "x" })).status, 405);
  const head = await fetch(url, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), "");
});

test("a server that drains closes connections and answers all the same", async () => {
  const other = new Server(new Map(), "1.2.3");
  const port = await other.listen(0);
  const drained = other.drain();
  const response = await fetch(`http://127.0.0.1:${port}/healthz`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("connection"), "close");
  await drained;
  await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`));
});
