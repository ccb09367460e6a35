import pytest

from catalog.item import Item, parse
from catalog.server import Problem


def test_a_well_formed_item_is_taken():
    assert parse("assam-100", {"name": " Assam ", "price_cents": 690}) == Item("assam-100", "Assam", 690)


@pytest.mark.parametrize("sku", ["", "Assam", "a--b", "-a", "a" * 41, "a/b"])
def test_a_bad_sku_is_refused(sku):
    with pytest.raises(Problem, match="a sku is"):
        parse(sku, {"name": "Assam", "price_cents": 690})


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"name": "Assam"},
        {"name": "", "price_cents": 1},
        {"name": "Assam", "price_cents": 0},
        {"name": "Assam", "price_cents": True},
        {"name": "Assam", "price_cents": 6.9},
        {"name": "Assam", "price_cents": 1, "stock": 3},
    ],
)
def test_a_bad_body_is_refused(body):
    with pytest.raises(Problem) as problem:
        parse("assam-100", body)
    assert problem.value.status == 422
