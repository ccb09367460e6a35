// Sends events to RabbitMQ and knows when they have arrived.

import amqp from "amqplib";
import { setTimeout as pause } from "node:timers/promises";
import { log } from "./log.js";

export const EXCHANGE = "shop";
const RETRY_MS_MAX = 2000;
const CONFIRM_MS = 5000;

export class Publisher {
  #url;
  #onConnect;
  #connection;
  #channel;
  #closed = false;

  // Calls `onConnect` each time that events can be sent again.
  constructor(url, onConnect = () => {}) {
    this.#url = url;
    this.#onConnect = onConnect;
  }

  // Connects, and again after a loss, until closed.
  async run() {
    for (let wait = 50; !this.#closed; wait = Math.min(wait * 2, RETRY_MS_MAX)) {
      try {
        await this.#stayConnected();
        wait = 50;
      } catch (error) {
        log.info("waiting for the queue", { error: error.message });
      }
      await pause(wait);
    }
  }

  // Resolves when the broker has taken responsibility for the event.
  async publish(key, id, event) {
    const channel = this.#channel;
    if (!channel) throw new Error("the queue is not connected");
    const options = { persistent: true, contentType: "application/json", messageId: id };
    const confirmed = new Promise((resolve, reject) => {
      const done = (error) => (error ? reject(error) : resolve());
      channel.publish(EXCHANGE, key, Buffer.from(JSON.stringify(event)), options, done);
    });
    const late = AbortSignal.timeout(CONFIRM_MS);
    const timeout = new Promise((_, reject) => {
      late.onabort = () => reject(new Error("the queue did not confirm"));
    });
    await Promise.race([confirmed, timeout]);
  }

  async close() {
    this.#closed = true;
    await this.#connection?.close();
  }

  async #stayConnected() {
    const connection = await amqp.connect(this.#url, { timeout: CONFIRM_MS });
    const lost = new Promise((resolve) => connection.once("close", resolve));
    connection.on("error", (error) => log.error("the queue failed", { error: error.message }));
    this.#connection = connection;
    const channel = await connection.createConfirmChannel();
    channel.on("error", () => connection.close());
    await channel.assertExchange(EXCHANGE, "topic", { durable: true });
    this.#channel = channel;
    log.info("the queue is connected");
    this.#onConnect();
    await lost;
    this.#channel = undefined;
    this.#connection = undefined;
    log.info("the queue is disconnected");
  }
}
