// Fills the page and places orders.

import { euros, Shop } from "./shop.js";

const REFRESH_MS = 3000;
const shop = new Shop();
const $ = (id) => document.getElementById(id);

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function fill(list, children, none) {
  list.replaceChildren(...(children.length > 0 ? children : [element("li", none)]));
}

let shown;

// The list is left alone while it is the same, as somebody may have it open.
function showItems(items) {
  if (JSON.stringify(items) === shown) return;
  shown = JSON.stringify(items);
  const chosen = $("sku").value;
  $("sku").replaceChildren(
    ...items.map((item) => {
      const option = element("option", `${item.name}: ${euros(item.price_cents)}`);
      option.value = item.sku;
      return option;
    }),
  );
  if (items.some((item) => item.sku === chosen)) $("sku").value = chosen;
}

function showOrders(orders) {
  const lines = orders.map((order) => {
    const time = element("time", new Date(order.created_at).toLocaleTimeString());
    time.dateTime = order.created_at;
    return element("li", `${order.quantity} × ${order.name}, ${euros(order.total_cents)} `, time);
  });
  fill($("orders"), lines, "No orders yet.");
}

function showNotifications(notifications) {
  fill($("notifications"), notifications.map(({ text }) => element("li", text)), "Nothing has happened yet.");
}

// Each part is shown as soon as it is there, also while another one is not.
async function refresh() {
  const parts = [
    shop.items().then(showItems),
    shop.orders().then(showOrders),
    shop.notifications().then(showNotifications),
  ];
  const failed = (await Promise.allSettled(parts)).find(({ status }) => status === "rejected");
  $("trouble").textContent = failed ? `Not everything is available: ${failed.reason.message}` : "";
}

$("order").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = $("place");
  button.disabled = true;
  try {
    const order = await shop.order($("sku").value, Number($("quantity").value));
    $("result").textContent = `Ordered ${order.quantity} × ${order.name} for ${euros(order.total_cents)}.`;
  } catch (error) {
    $("result").textContent = `Not ordered: ${error.message}`;
  } finally {
    button.disabled = false;
  }
  await refresh();
});

await refresh();
setInterval(refresh, REFRESH_MS);
