// Starts the service.

import { readFile } from "node:fs/promises";
import { readFiles } from "./files.js";
import { log } from "./log.js";
import { Server } from "./server.js";

const version = (await readFile(new URL("../version.txt", import.meta.url), "utf8")).trim();
const server = new Server(await readFiles(new URL("../public/", import.meta.url)), version);
const port = await server.listen(Number(process.env.PORT ?? 8080));
log.info("started", { version, port });

async function end() {
  log.info("draining");
  await server.drain();
  log.info("stopped");
  process.exit(0);
}

process.once("SIGTERM", end);
process.once("SIGINT", end);
