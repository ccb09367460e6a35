import pytest

from notifications.inbox import KEPT, Inbox, Notification, of_order

ORDER = {
    "id": "1",
    "sku": "assam-100",
    "name": "Assam, 100 g",
    "quantity": 2,
    "total_cents": 1380,
    "created_at": "2024-05-01T10:00:00Z",
}


def test_an_order_becomes_a_notification():
    assert of_order(ORDER) == Notification("1", "2 × Assam, 100 g ordered for 13.80 €", "2024-05-01T10:00:00Z")


@pytest.mark.parametrize("event", [None, [], {}, {**ORDER, "total_cents": "1380"}])
def test_anything_else_is_refused(event):
    with pytest.raises(ValueError, match="not an order"):
        of_order(event)


def test_the_newest_come_first_and_each_once():
    inbox = Inbox()
    for order_id in ["1", "2", "1"]:
        inbox.add(of_order({**ORDER, "id": order_id}))
    assert [each.order_id for each in inbox.newest()] == ["2", "1"]


def test_the_oldest_are_forgotten():
    inbox = Inbox()
    for number in range(KEPT + 5):
        inbox.add(of_order({**ORDER, "id": number}))
    assert len(inbox.newest()) == KEPT
    assert inbox.newest()[-1].order_id == "5"
