"""The newest notifications, in memory."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

KEPT = 100


@dataclass(frozen=True)
class Notification:
    order_id: str
    text: str
    time: str


def of_order(order) -> Notification:
    """The notification of an `order.created` event; anything else is a `ValueError`."""
    try:
        price = f"{order['total_cents'] / 100:.2f} €"
        text = f"{order['quantity']} × {order['name']} ordered for {price}"
        return Notification(str(order["id"]), text, str(order["created_at"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an order: {error!r}") from None


class Inbox:
    def __init__(self):
        self._lock = Lock()
        self._by_order = OrderedDict()

    def add(self, notification: Notification) -> None:
        """Keeps a notification; one that is delivered twice is kept once."""
        with self._lock:
            self._by_order.setdefault(notification.order_id, notification)
            if len(self._by_order) > KEPT:
                self._by_order.popitem(last=False)

    def newest(self) -> list[Notification]:
        with self._lock:
            return list(reversed(self._by_order.values()))
