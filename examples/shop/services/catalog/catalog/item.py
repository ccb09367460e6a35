"""What an item is, and which texts are one."""

import re
from dataclasses import dataclass

from .server import Problem

SKU = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SKU_MAX = 40
NAME_MAX = 200
PRICE_MAX = 10_000_000


@dataclass(frozen=True)
class Item:
    sku: str
    name: str
    price_cents: int


def parse(sku: str, body) -> Item:
    """An item from a request, or a `Problem` that says what is wrong with it."""
    if len(sku) > SKU_MAX or not SKU.fullmatch(sku):
        raise Problem(422, f"a sku is up to {SKU_MAX} of a-z, 0-9 and single dashes")
    if not isinstance(body, dict) or set(body) != {"name", "price_cents"}:
        raise Problem(422, "an item has a name and price_cents")
    name, price = body["name"], body["price_cents"]
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= NAME_MAX:
        raise Problem(422, f"a name has 1 to {NAME_MAX} characters")
    if type(price) is not int or not 1 <= price <= PRICE_MAX:
        raise Problem(422, f"price_cents is a whole number from 1 to {PRICE_MAX}")
    return Item(sku, name.strip(), price)
