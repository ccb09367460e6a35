"""An order: what has happened to it, and what may happen next. No input or output here."""

from dataclasses import dataclass, field

# What has to have happened before, for each thing that can happen to an order.
STEPS = {
    "approve": ("created", "approved"),
    "pay": ("approved", "paid"),
    "prepare": ("paid", "prepared"),
    "ship": ("prepared", "shipped"),
    "deliver": ("shipped", "delivered"),
}

# What kind of state a snapshot holds; who finds another kind replays all events.
SNAPSHOT_KIND = "order-v1"


class Refused(Exception):
    """A command that does not fit the order's state."""


def item(body):
    """An item as an event keeps it; ValueError if it is none."""
    name, price, quantity = body["name"], body["price"], body["quantity"]
    if not isinstance(name, str) or not name:
        raise ValueError("an item has a name")
    if any(type(number) is not int or number < 0 for number in (price, quantity)):
        raise ValueError("`price`, in cents, and `quantity` are whole numbers")
    return {"name": name, "price": price, "quantity": quantity}


@dataclass
class Order:
    """The state of one order, folded from its events."""

    state: str = "none"
    customer: str = ""
    items: list = field(default_factory=list)

    @property
    def total(self):
        """The price of all items, in cents."""
        return sum(item["price"] * item["quantity"] for item in self.items)

    def apply(self, kind, data):
        """Takes in an event."""
        if kind == "order-created":
            self.state = "created"
            self.customer = data["customer"]
            self.items = list(data["items"])
        elif kind == "item-added":
            self.items.append(data["item"])
        else:
            self.state = kind.removeprefix("order-")

    def decide(self, command, body):
        """The event (kind and data) that a command leads to."""
        if command == "create":
            if self.state != "none":
                raise Refused("the order is there already")
            items = [item(one) for one in body["items"]]
            return "order-created", {"customer": str(body["customer"]), "items": items}
        if command == "items":
            if self.state != "created":
                raise Refused(f"the order is {self.state}, so nothing can be added")
            return "item-added", {"item": item(body)}
        before, after = STEPS[command]
        if self.state != before:
            raise Refused(f"the order is {self.state}, not {before}")
        return f"order-{after}", {"total": self.total}

    def as_json(self):
        """The state as it is kept in a snapshot."""
        return {"state": self.state, "customer": self.customer, "items": self.items}
