"""Saved for later: lines move between `items` and `saved_items`, and none is lost on the way."""

from typing import Any

import pytest

from catalog.documents import ProductRow
from tests.carts.items import MakeProduct, item
from tests.client import Answer, Person


def quantities(answer: Answer, place: str) -> list[int]:
    return [line["quantity"] for line in answer[place]]


def test_a_line_goes_out_of_the_totals_and_comes_back(
    cart: str, make_product: MakeProduct, alice: Person
) -> None:
    lamp, mug = make_product(), make_product(price_minor=500)
    alice.api.post(f"{cart}/items", {"items": [item(lamp, 2, note="gift"), item(mug, 3)]})
    saved = alice.api.post(f"{cart}/items/{lamp['_id']}/save")
    assert (saved.status, saved["total_quantity"], saved["subtotal"]) == (200, 3, 15)
    assert (quantities(saved, "items"), quantities(saved, "saved_items")) == ([3], [2])
    line = saved["saved_items"][0]
    assert (line["note"], line["unit_price"], line["line_total"]) == ("gift", 19.99, 39.98)
    back = alice.api.post(f"{cart}/saved-items/{lamp['_id']}/restore")
    assert (quantities(back, "items"), quantities(back, "saved_items")) == ([3, 2], [])
    assert (back["version"], back["subtotal"]) == (4, 54.98)
    assert back["items"][1]["note"] == "gift"


def test_what_stands_in_both_places_adds_up(cart: str, lamp: ProductRow, alice: Person) -> None:
    add, line = f"{cart}/items", f"{cart}/items/{lamp['_id']}"
    alice.api.post(add, item(lamp, 2))
    alice.api.post(f"{line}/save")
    alice.api.post(add, item(lamp, 3))
    saved = alice.api.post(f"{line}/save")
    assert (quantities(saved, "items"), quantities(saved, "saved_items")) == ([], [5])
    alice.api.post(add, item(lamp, 4))
    back = alice.api.post(f"{cart}/saved-items/{lamp['_id']}/restore")
    assert (quantities(back, "items"), quantities(back, "saved_items")) == ([9], [])


TO_ANN: dict[str, Any] = {"note": "To Ann", "attributes": {"engraving": "A"}}
TO_BOB: dict[str, Any] = {"note": "To Bob", "attributes": {"engraving": "B"}}
PLAIN: dict[str, Any] = {"note": "", "attributes": {}}


@pytest.mark.parametrize(
    ("there", "moved", "left"),
    [
        ({}, TO_ANN, TO_ANN),
        (PLAIN, TO_ANN, TO_ANN),
        (TO_BOB, {}, TO_BOB),
        (TO_BOB, TO_ANN, TO_BOB),
        ({"note": "To Bob"}, TO_ANN, {**TO_ANN, "note": "To Bob"}),
    ],
    ids=["silent", "cleared", "said there alone", "said twice", "half said"],
)
@pytest.mark.parametrize("way", ["saved", "restored"])
def test_what_was_said_of_a_moved_line_is_kept_unless_the_line_it_joins_says_otherwise(
    way: str, there: dict[str, Any], moved: dict[str, Any], left: dict[str, Any],
    cart: str, lamp: ProductRow, alice: Person,
) -> None:  # fmt: skip
    """What is saved first is joined by what is in the cart, or joins it."""
    in_cart, saved = (moved, there) if way == "saved" else (there, moved)
    alice.api.post(f"{cart}/items", item(lamp, 1, **saved))
    alice.api.post(f"{cart}/items/{lamp['_id']}/save")
    alice.api.post(f"{cart}/items", item(lamp, 1, **in_cart))
    path = "items/{}/save" if way == "saved" else "saved-items/{}/restore"
    answer = alice.api.post(f"{cart}/{path.format(lamp['_id'])}")
    (line,) = answer["items"] + answer["saved_items"]
    assert {"quantity": line["quantity"], **{name: line[name] for name in PLAIN}} == {
        "quantity": 2, **left,
    }  # fmt: skip


def test_restoring_has_the_rules_of_adding(
    cart: str, make_product: MakeProduct, alice: Person, sam: Person
) -> None:
    lamp = make_product(quantity=10)
    alice.api.post(f"{cart}/items", item(lamp, 6))
    alice.api.post(f"{cart}/items/{lamp['_id']}/save")
    alice.api.post(f"{cart}/items", item(lamp, 5))
    restore = f"{cart}/saved-items/{lamp['_id']}/restore"
    refused = alice.api.post(restore)
    assert refused.outcome == (409, "insufficient_stock")
    assert (refused["available_quantity"], refused["in_cart"]) == (10, 5)
    sam.api.patch(f"/products/{lamp['_id']}", {"status": "archived"})
    assert alice.api.post(restore).outcome == (409, "product_unavailable")
    now = alice.api.get(cart)
    assert (quantities(now, "items"), quantities(now, "saved_items")) == ([5], [6])


def test_both_places_hold_100_lines(cart: str, make_product: MakeProduct, alice: Person) -> None:
    products = [make_product() for _ in range(101)]
    alice.api.post(f"{cart}/items", {"items": [item(product) for product in products[:100]]})
    for product in products[:100]:
        assert alice.api.post(f"{cart}/items/{product['_id']}/save").status == 200
    alice.api.post(f"{cart}/items", item(products[100]))
    refused = alice.api.post(f"{cart}/items/{products[100]['_id']}/save")
    assert refused.outcome == (409, "cart_full")
    alice.api.post(f"{cart}/items", {"items": [item(product) for product in products[1:100]]})
    back = alice.api.post(f"{cart}/saved-items/{products[0]['_id']}/restore")
    assert back.outcome == (409, "cart_full")
    now = alice.api.get(cart)
    assert (len(now["items"]), len(now["saved_items"])) == (100, 100)


def test_a_saved_line_can_be_removed(cart: str, lamp: ProductRow, alice: Person) -> None:
    alice.api.post(f"{cart}/items", item(lamp))
    alice.api.post(f"{cart}/items/{lamp['_id']}/save")
    path = f"{cart}/saved-items/{lamp['_id']}"
    assert alice.api.delete(path)["saved_items"] == []
    assert alice.api.delete(path).outcome == (404, "item_not_in_cart")


@pytest.mark.parametrize("path", ["items/{}/save", "saved-items/{}/restore"])
@pytest.mark.parametrize("product", ["0" * 24, "nonsense"])
def test_what_is_not_there_is_404(path: str, product: str, cart: str, alice: Person) -> None:
    answer = alice.api.post(f"{cart}/{path.format(product)}")
    assert answer.outcome == (404, "item_not_in_cart")


def test_clearing_and_replacing_leave_what_is_saved(
    cart: str, make_product: MakeProduct, alice: Person
) -> None:
    lamp, mug = make_product(), make_product()
    alice.api.post(f"{cart}/items", item(lamp))
    alice.api.post(f"{cart}/items/{lamp['_id']}/save")
    assert len(alice.api.put(cart, {"items": [item(mug)]})["saved_items"]) == 1
    assert len(alice.api.delete(f"{cart}/clear")["saved_items"]) == 1


@pytest.mark.parametrize("path", ["items/{}/save", "saved-items/{}/restore"])
def test_if_match_guards_the_move(path: str, cart: str, lamp: ProductRow, alice: Person) -> None:
    alice.api.post(f"{cart}/items", item(lamp, 2))
    if "restore" in path:
        alice.api.post(f"{cart}/items/{lamp['_id']}/save")
    address, before = f"{cart}/{path.format(lamp['_id'])}", alice.api.get(cart)
    refused = alice.api.post(address, If_Match='"v1"')
    assert (refused.outcome, refused["cart"]) == ((412, "precondition_failed"), before.json())
    assert alice.api.post(address, If_Match=before.headers["ETag"]).status == 200
