// The service put together.

import { Announcer } from "./announcer.js";
import { routes } from "./api.js";
import { Catalog, Payments } from "./colleagues.js";
import { Publisher } from "./publisher.js";
import { Server } from "./server.js";
import { Store } from "./store.js";

const MIGRATIONS = new URL("../migrations/", import.meta.url);

// Starts with the settings in `env`; returns the port and how to stop.
export async function start(env, version) {
  const store = new Store(setting(env, "DATABASE_URL"));
  const publisher = new Publisher(setting(env, "QUEUE_URL"), () => announcer.wake());
  const announcer = new Announcer(store, publisher);
  const catalog = new Catalog(setting(env, "CATALOG_URL"));
  const payments = new Payments(setting(env, "PAYMENTS_URL"));
  const server = new Server(routes({ store, catalog, payments, announcer }), version);

  const port = await server.listen(Number(env.PORT ?? 8080));
  store.migrateWithPatience(MIGRATIONS).then(() => publisher.run());
  const stop = async () => {
    await server.drain();
    await publisher.close();
    await store.close();
  };
  return { port, stop };
}

function setting(env, name) {
  if (!env[name]) throw new Error(`${name} is not set`);
  return env[name];
}
