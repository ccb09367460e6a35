// Serves files from memory, and stops without losing a request.

import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { log } from "./log.js";

const IDLE_MS = 75_000;
const HEALTH = "/healthz";
// After a signal the server goes on until nobody asked for QUIET_MS, but for its health.
const QUIET_MS = 1000;
const DRAIN_MS = 8000;
const HEADERS = {
  "Cache-Control": "no-cache",
  "Content-Security-Policy": "default-src 'self'",
  "X-Content-Type-Options": "nosniff",
};

export class Server {
  #files;
  #version;
  #http;
  #draining = false;
  #inFlight = 0;
  #lastRequest = 0;

  constructor(files, version) {
    this.#files = files;
    this.#version = version;
    this.#http = createServer({ keepAliveTimeout: IDLE_MS, noDelay: true }, (request, response) =>
      this.#serve(request, response),
    );
    this.#http.headersTimeout = IDLE_MS + 5000;
  }

  async listen(port) {
    await new Promise((resolve, reject) => {
      this.#http.once("error", reject);
      this.#http.listen({ port, backlog: 1024 }, resolve);
    });
    return this.#http.address().port;
  }

  // Goes on answering, each time closing the connection, until all is quiet.
  async drain() {
    const start = Date.now();
    this.#draining = true;
    this.#lastRequest = start;
    while (Date.now() < start + DRAIN_MS) {
      if (this.#inFlight === 0 && Date.now() >= this.#lastRequest + QUIET_MS) break;
      await pause(50);
    }
    this.#http.close();
    this.#http.closeAllConnections();
  }

  #serve(request, response) {
    const path = request.url.split("?")[0];
    this.#inFlight += 1;
    if (path !== HEALTH) this.#lastRequest = Date.now();
    response.once("close", () => {
      this.#inFlight -= 1;
    });
    request.resume();
    if (this.#draining) response.shouldKeepAlive = false;
    const { status, headers, body } = this.#answer(request, path);
    response.writeHead(status, { ...headers, ...HEADERS, "X-Service-Version": this.#version });
    response.end(request.method === "HEAD" ? undefined : body);
    if (path !== HEALTH) log.info("request", { method: request.method, path, status });
  }

  #answer(request, path) {
    if (path === HEALTH) return text(200, "ok");
    const file = this.#files.get(path);
    if (!file) return text(404, "There is no such page.");
    if (request.method !== "GET" && request.method !== "HEAD") return text(405, "Pages are only read.");
    if (request.headers["if-none-match"] === file.tag) return { status: 304, headers: { ETag: file.tag } };
    const headers = { "Content-Type": file.type, "Content-Length": file.body.length, ETag: file.tag };
    return { status: 200, headers, body: file.body };
  }
}

function text(status, body) {
  return { status, headers: { "Content-Type": "text/plain", "Content-Length": body.length }, body };
}
