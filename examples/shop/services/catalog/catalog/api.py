"""The HTTP interface."""

from dataclasses import asdict

from . import item
from .server import Problem
from .store import Store


def routes(store: Store):
    def health():
        store.check()
        return 200, {"status": "ok"}

    def all_items():
        return 200, {"items": [asdict(each) for each in store.items()]}

    def one_item(sku: str):
        found = store.item(sku)
        if not found:
            raise Problem(404, f"there is no item {sku}")
        return 200, asdict(found)

    def put_item(sku: str, body):
        store.put(item.parse(sku, body))
        return one_item(sku)

    return [
        ("GET", "/healthz", health),
        ("GET", "/catalog", all_items),
        ("GET", "/catalog/([^/]+)", one_item),
        ("PUT", "/catalog/([^/]+)", put_item),
    ]
