// Tells the fleet about new orders. An order is stored first and announced
// from there, so neither a lost queue nor a crash loses the news.

import { log } from "./log.js";

const RETRY_MS = 1000;

export class Announcer {
  #store;
  #publisher;
  #wanted = false;
  #running = false;

  constructor(store, publisher) {
    this.#store = store;
    this.#publisher = publisher;
  }

  // Announces what is new; called once more while it works, it looks once more.
  async wake() {
    this.#wanted = true;
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#wanted) {
        this.#wanted = false;
        this.#wanted ||= await this.#store.announce((order) =>
          this.#publisher.publish("order.created", order.id, order),
        );
      }
    } catch (error) {
      log.error("orders wait to be announced", { error: error.message });
      setTimeout(() => this.wake(), RETRY_MS).unref();
    } finally {
      this.#running = false;
    }
  }
}
