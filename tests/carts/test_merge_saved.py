"""What a merge cannot put into the cart is saved for later, beside what is saved: no piece is lost.

A mode is about a line that stands in the same place of both carts, and about nothing else.
"""

from typing import Any

import pytest

from catalog.documents import ProductRow
from tests.carts.items import MakeProduct, item
from tests.carts.merges import MODES, GuestCart, cart_of, lines
from tests.client import Answer, ApiClient, Person


@pytest.fixture
def rug(make_product: MakeProduct) -> ProductRow:
    """Plenty of them, until `archived` takes it from the shop."""
    return make_product(name="Rug", quantity=5000)


def archived(rug: ProductRow, sam: Person) -> None:
    assert sam.api.patch(f"/products/{rug['_id']}", {"status": "archived"}).status == 200


def guests_with(rug: ProductRow, *, saved: int = 0, items: int = 0, **said: Any) -> GuestCart:
    guests = GuestCart()
    if saved:
        guests.add(rug, saved)
        ApiClient().post(f"{guests.path}/items/{rug['_id']}/save", X_Cart_Token=guests.token)
    if items:
        body = item(rug, items, **said)
        ApiClient().post(f"{guests.path}/items", body, X_Cart_Token=guests.token)
    return guests


def mine_with(who: Person, rug: ProductRow, *, saved: int = 0) -> str:
    cart_id = cart_of(who, *([item(rug, saved)] if saved else []))
    if saved:
        who.api.post(f"/shopping-carts/{cart_id}/items/{rug['_id']}/save")
    return cart_id


def saved_lines(answer: Answer) -> list[tuple[str, int]]:
    assert answer.status == 200, answer.body
    assert answer["cart"]["items"] == []
    return lines(answer["cart"], "saved_items")


def adjusted(answer: Answer) -> list[tuple[str, int, int, int]]:
    return [(one["code"], one["asked"], one["got"], one["saved"]) for one in answer["adjustments"]]


@pytest.mark.parametrize("mode", MODES)
def test_what_cannot_be_sold_is_added_to_what_the_guest_has_saved_of_it(
    mode: str, rug: ProductRow, alice: Person, sam: Person
) -> None:
    guests, mine = guests_with(rug, saved=2, items=5), mine_with(alice, rug)
    archived(rug, sam)
    answer = guests.merge(alice, mine, mode)
    assert saved_lines(answer) == [("Rug", 7)]
    assert adjusted(answer) == [("product_unavailable", 5, 0, 5)]


@pytest.mark.parametrize("mode", MODES)
def test_what_cannot_be_sold_is_added_to_what_the_user_has_saved_of_it(
    mode: str, rug: ProductRow, alice: Person, sam: Person
) -> None:
    guests, mine = guests_with(rug, items=5), mine_with(alice, rug, saved=3)
    archived(rug, sam)
    answer = guests.merge(alice, mine, mode)
    assert saved_lines(answer) == [("Rug", 8)]
    assert adjusted(answer) == [("product_unavailable", 5, 0, 5)], "the guest's pieces alone"


@pytest.mark.parametrize(
    ("mode", "saved"), [("sum", 10), ("max", 8), ("keep-guest", 7), ("keep-mine", 8)]
)
def test_a_mode_decides_about_what_both_have_saved_and_not_about_what_is_added_to_it(
    mode: str, saved: int, rug: ProductRow, alice: Person, sam: Person
) -> None:
    guests, mine = guests_with(rug, saved=2, items=5), mine_with(alice, rug, saved=3)
    archived(rug, sam)
    answer = guests.merge(alice, mine, mode)
    assert saved_lines(answer) == [("Rug", saved)]
    assert adjusted(answer) == [("product_unavailable", 5, 0, 5)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("held", "saved"), [(996, 3), (999, 0)])
def test_what_a_saved_line_has_no_room_for_is_reported_as_left_out(
    held: int, saved: int, mode: str, rug: ProductRow, alice: Person, sam: Person
) -> None:
    guests, mine = guests_with(rug, items=5), mine_with(alice, rug, saved=held)
    archived(rug, sam)
    answer = guests.merge(alice, mine, mode)
    assert saved_lines(answer) == [("Rug", 999)]
    assert adjusted(answer) == [("product_unavailable", 5, 0, saved)]


def test_of_two_saved_lines_that_are_too_much_the_guests_pieces_are_counted(
    rug: ProductRow, alice: Person
) -> None:
    answer = guests_with(rug, saved=600).merge(alice, mine_with(alice, rug, saved=500))
    assert saved_lines(answer) == [("Rug", 999)]
    assert adjusted(answer) == [("quantity_limit", 600, 0, 499)]


def test_where_nothing_more_can_be_saved_a_line_is_reported_once_and_stays_in_the_source(
    rug: ProductRow, make_product: MakeProduct, alice: Person, sam: Person
) -> None:
    guests, mine = guests_with(rug, items=5), mine_with(alice, rug)
    others = [make_product() for _ in range(100)]
    alice.api.post(f"/shopping-carts/{mine}/items", {"items": [item(one) for one in others]})
    for other in others:
        alice.api.post(f"/shopping-carts/{mine}/items/{other['_id']}/save")
    archived(rug, sam)
    answer = guests.merge(alice, mine)
    assert saved_lines(answer) == [("Lamp", 1)] * 100
    assert adjusted(answer) == [("saved_full", 5, 0, 0)]
    assert [line["quantity"] for line in guests.stored()["items"]] == [5]


def test_what_is_added_to_a_saved_line_brings_the_words_that_line_lacks(
    rug: ProductRow, alice: Person, sam: Person
) -> None:
    said: dict[str, Any] = {"note": "To Ann", "attributes": {"engraving": "A"}}
    guests, mine = guests_with(rug, items=5, **said), mine_with(alice, rug, saved=3)
    archived(rug, sam)
    (line,) = guests.merge(alice, mine, "keep-mine")["cart"]["saved_items"]
    assert {name: line[name] for name in said} == said
