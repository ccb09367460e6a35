// Orders in PostgreSQL.

import { readdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { log } from "./log.js";
import { Problem } from "./problem.js";

const CONNECTIONS = 8;
const CONNECT_MS = 2000;
const RETRY_MS_MAX = 2000;
const MIGRATION_LOCK = 7002;
const LIST_MAX = 50;
const ANNOUNCE_MAX = 50;
const COLUMNS = "id, sku, name, quantity, total_cents::float8 AS total_cents, payment_id, created_at";

export class Store {
  #pool;
  #migrated = false;

  constructor(url) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: CONNECTIONS,
      connectionTimeoutMillis: CONNECT_MS,
    });
    this.#pool.on("error", (error) => log.error("a database connection was lost", { error: error.message }));
  }

  // Migrates as soon as the database answers.
  async migrateWithPatience(folder) {
    for (let wait = 50; ; wait = Math.min(wait * 2, RETRY_MS_MAX)) {
      try {
        return await this.migrate(folder);
      } catch (error) {
        log.info("waiting for the database", { error: error.message });
        await pause(wait);
      }
    }
  }

  // Applies the migrations that the database has not seen; one replica at a time.
  async migrate(folder) {
    const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
    await this.#transaction(async (client) => {
      await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
      await client.query("CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY)");
      const { rows } = await client.query("SELECT name FROM migrations");
      const seen = new Set(rows.map((row) => row.name));
      for (const name of names.filter((each) => !seen.has(each))) {
        await client.query(await readFile(new URL(name, folder), "utf8"));
        await client.query("INSERT INTO migrations VALUES ($1)", [name]);
        log.info("migrated", { migration: name });
      }
    });
    this.#migrated = true;
  }

  // Throws a problem unless requests can be answered.
  async check() {
    if (!this.#migrated) throw new Problem(503, "the database is not migrated yet");
    await this.#query("SELECT 1");
  }

  async add({ id, sku, name, quantity, total_cents, payment_id }) {
    const rows = await this.#query(
      `INSERT INTO orders (id, sku, name, quantity, total_cents, payment_id)
       VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${COLUMNS}`,
      [id, sku, name, quantity, total_cents, payment_id],
    );
    return rows[0];
  }

  newest() {
    return this.#query(`SELECT ${COLUMNS} FROM orders ORDER BY created_at DESC LIMIT ${LIST_MAX}`);
  }

  async order(id) {
    return (await this.#query(`SELECT ${COLUMNS} FROM orders WHERE id = $1`, [id]))[0];
  }

  salesByItem() {
    return this.#query(
      `SELECT sku, count(*)::int AS orders, sum(quantity)::int AS quantity,
              sum(total_cents)::float8 AS total_cents
       FROM orders GROUP BY sku ORDER BY sku`,
    );
  }

  // Hands the oldest orders that were not announced to `publish`, and marks them when it is done.
  // Returns whether there may be more.
  announce(publish) {
    return this.#transaction(async (client) => {
      const { rows } = await client.query(
        `SELECT ${COLUMNS} FROM orders WHERE NOT announced
         ORDER BY created_at LIMIT ${ANNOUNCE_MAX} FOR UPDATE SKIP LOCKED`,
      );
      await Promise.all(rows.map(publish));
      await client.query("UPDATE orders SET announced = true WHERE id = ANY($1)", [rows.map((row) => row.id)]);
      return rows.length === ANNOUNCE_MAX;
    });
  }

  close() {
    return this.#pool.end();
  }

  async #query(sql, values) {
    try {
      return (await this.#pool.query(sql, values)).rows;
    } catch (error) {
      log.error("the database failed", { error: error.message });
      throw new Problem(503, "the database is not available");
    }
  }

  async #transaction(work) {
    const client = await this.#pool.connect();
    try {
      await client.query("BEGIN");
      const result = await work(client);
      await client.query("COMMIT");
      client.release();
      return result;
    } catch (error) {
      // The connection goes, and the transaction with it.
      client.release(true);
      throw error;
    }
  }
}
