// Starts the service.

import { readFile } from "node:fs/promises";
import { start } from "./app.js";
import { log } from "./log.js";

const version = (await readFile(new URL("../version.txt", import.meta.url), "utf8")).trim();
try {
  const { port, stop } = await start(process.env, version);
  log.info("started", { version, port });
  const end = async () => {
    log.info("draining");
    await stop();
    log.info("stopped");
    process.exit(0);
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
} catch (error) {
  log.error("could not start", { error: error.message });
  process.exit(2);
}
