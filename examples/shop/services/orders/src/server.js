// A small JSON server: HTTP/1.1 with keep-alive, and a stop that loses no request.

import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { log } from "./log.js";
import { Problem } from "./problem.js";

const BODY_MAX = 64 * 1024;
const IDLE_MS = 75_000;
const HEALTH = "/healthz";
// After a signal the server goes on until nobody asked for QUIET_MS, but for its health.
const QUIET_MS = 1000;
const DRAIN_MS = 8000;

// Routes are `[method, pattern, handler]`; a handler gets the pattern's groups
// and the decoded body, and returns `[status, body]`.
export class Server {
  #routes;
  #version;
  #http;
  #draining = false;
  #inFlight = 0;
  #lastRequest = 0;

  constructor(routes, version) {
    this.#routes = routes;
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

  async #serve(request, response) {
    const start = Date.now();
    const path = request.url.split("?")[0];
    this.#inFlight += 1;
    if (path !== HEALTH) this.#lastRequest = start;
    response.once("close", () => {
      this.#inFlight -= 1;
    });
    const [status, body] = await this.#answer(request, path);
    const text = JSON.stringify(body);
    if (this.#draining || !request.complete) response.shouldKeepAlive = false;
    response.writeHead(status, {
      "Content-Type": status < 400 ? "application/json" : "application/problem+json",
      "Content-Length": Buffer.byteLength(text),
      "X-Service-Version": this.#version,
    });
    response.end(text);
    if (path !== HEALTH) {
      log.info("request", { method: request.method, path, status, ms: Date.now() - start });
    }
  }

  async #answer(request, path) {
    try {
      return await this.#route(request, path);
    } catch (error) {
      if (error instanceof Problem) {
        return [error.status, { status: error.status, detail: error.message }];
      }
      log.error("request failed", { path, error: String(error) });
      return [500, { status: 500, detail: "internal error" }];
    }
  }

  async #route(request, path) {
    const body = await readBody(request);
    let allowed = false;
    for (const [method, pattern, handler] of this.#routes) {
      const match = pattern.exec(path);
      if (match && method === request.method) return handler(...match.slice(1), body);
      allowed ||= match !== null;
    }
    throw new Problem(allowed ? 405 : 404, `there is no ${request.method} ${path}`);
  }
}

async function readBody(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > BODY_MAX) throw new Problem(413, `a body has at most ${BODY_MAX} bytes`);
    chunks.push(chunk);
  }
  if (length === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks));
  } catch {
    throw new Problem(400, "the body is not JSON");
  }
}
