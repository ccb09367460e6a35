// The shop's services as the page calls them. `address` turns a path into a
// URL; behind the gateway they are the same.

export class Shop {
  constructor(address = (path) => path) {
    this.address = address;
  }

  async items() {
    return (await this.#ask("/catalog")).items;
  }

  async orders() {
    return (await this.#ask("/orders")).orders;
  }

  async notifications() {
    return (await this.#ask("/notifications")).notifications;
  }

  order(sku, quantity) {
    return this.#ask("/orders", { method: "POST", body: JSON.stringify({ sku, quantity }) });
  }

  async #ask(path, options) {
    const response = await fetch(this.address(path), options);
    const body = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(body.detail ?? `${path} answered ${response.status}`);
    return body;
  }
}

export function euros(cents) {
  return `${(cents / 100).toFixed(2)} €`;
}
