"""The lines of a cart: adding, setting, removing, clearing, and their limits under any race."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from catalog.documents import ProductRow
from tests.carts.items import MakeProduct, item
from tests.client import Answer, ApiClient, Person


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_first_add_starts_a_line_and_the_next_raises_it(
    slash: str, cart: str, lamp: ProductRow, alice: Person
) -> None:
    first = alice.api.post(f"{cart}/items{slash}", item(lamp, 2))
    assert (first.status, first["total_quantity"], first["version"]) == (201, 2, 2)
    second = alice.api.post(f"{cart}/items{slash}", item(lamp, 3))
    assert (second.status, second["total_quantity"], second["subtotal"]) == (200, 5, 99.95)
    assert len(second["items"]) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/product_id"),
        ({"product_id": "0" * 24}, "/quantity"),
        ({"product_id": "x", "quantity": 1}, "/product_id"),
        ({"product_id": "0" * 24, "quantity": 0}, "/quantity"),
        ({"product_id": "0" * 24, "quantity": -1}, "/quantity"),
        ({"product_id": "0" * 24, "quantity": 1000}, "/quantity"),
        ({"product_id": "0" * 24, "quantity": 1.5}, "/quantity"),
        ({"product_id": "0" * 24, "quantity": "1"}, "/quantity"),
        ({"product_id": "0" * 24, "quantity": True}, "/quantity"),
        ({"product_id": {"$ne": 1}, "quantity": 1}, "/product_id"),
        ({"product_id": "0" * 24, "quantity": 1, "price": 0}, "/price"),
    ],
)
def test_bad_input_names_the_field(body: Any, pointer: str, cart: str, alice: Person) -> None:
    answer = alice.api.post(f"{cart}/items", body)
    assert answer.outcome == (400, "validation_error")
    assert pointer in answer.pointers


def test_what_cannot_be_bought_cannot_be_added(
    cart: str, make_product: MakeProduct, alice: Person
) -> None:
    def add(body: dict[str, Any]) -> Answer:
        return alice.api.post(f"{cart}/items", body)

    draft, gone = make_product(status="archived"), make_product(quantity=0)
    unknown = add({"product_id": "0" * 24, "quantity": 1})
    assert (unknown.outcome, unknown["product_id"]) == ((404, "product_not_found"), "0" * 24)
    assert add(item(draft)).outcome == (409, "product_unavailable")
    answer = add(item(gone))
    assert (answer.outcome, answer["available_quantity"]) == ((409, "insufficient_stock"), 0)
    assert alice.api.get(cart)["version"] == 1


def test_an_add_beyond_the_stock_says_what_is_left(
    cart: str, lamp: ProductRow, alice: Person
) -> None:
    alice.api.post(f"{cart}/items", item(lamp, 8))
    answer = alice.api.post(f"{cart}/items", item(lamp, 3))
    assert answer.outcome == (409, "insufficient_stock")
    assert (answer["available_quantity"], answer["in_cart"]) == (10, 8)
    assert "available" not in answer.json(), "of a line it says whether it is for sale at all"
    assert alice.api.get(cart)["total_quantity"] == 8


@pytest.mark.parametrize("whole", [False, True])
def test_a_quantity_that_is_set_is_beside_nothing_in_the_cart(
    whole: bool, cart: str, lamp: ProductRow, alice: Person
) -> None:
    alice.api.post(f"{cart}/items", item(lamp, 3))
    if whole:
        answer = alice.api.put(cart, {"items": [item(lamp, 11)]})
    else:
        answer = alice.api.put(f"{cart}/items/{lamp['_id']}", {"quantity": 11})
    assert (answer.outcome, answer["available_quantity"]) == ((409, "insufficient_stock"), 10)
    assert "in_cart" not in answer.json(), "the 3 that it holds would not be added to"
    assert answer["detail"] == "Only 10 of this product are left."


def test_a_line_holds_at_most_999(cart: str, make_product: MakeProduct, alice: Person) -> None:
    plenty = make_product(quantity=5000)
    assert alice.api.post(f"{cart}/items", item(plenty, 999)).status == 201
    answer = alice.api.post(f"{cart}/items", item(plenty))
    assert (answer.outcome, answer["in_cart"]) == ((409, "quantity_limit"), 999)


def test_a_cart_holds_at_most_100_lines(
    cart: str, make_product: MakeProduct, alice: Person
) -> None:
    products = [make_product() for _ in range(101)]
    alice.api.put(cart, {"items": [item(product) for product in products[:100]]})
    assert alice.api.post(f"{cart}/items", item(products[100])).outcome == (409, "cart_full")
    assert alice.api.post(f"{cart}/items", item(products[0])).status == 200


@pytest.mark.parametrize("method", ["put", "patch"])
def test_the_quantity_of_a_line_can_be_set(
    method: str, cart: str, lamp: ProductRow, alice: Person
) -> None:
    alice.api.post(f"{cart}/items", item(lamp, 2))
    path = f"{cart}/items/{lamp['_id']}"
    answer = getattr(alice.api, method)(path, {"quantity": 7})
    assert (answer.status, answer["total_quantity"], answer["version"]) == (200, 7, 3)
    again = getattr(alice.api, method)(f"{path}/", item(lamp, 4))
    assert again["total_quantity"] == 4


def test_setting_only_the_named_line(cart: str, make_product: MakeProduct, alice: Person) -> None:
    lamp, mug = make_product(), make_product(name="Mug")
    alice.api.put(cart, {"items": [item(lamp, 2), item(mug, 3)]})
    answer = alice.api.put(f"{cart}/items/{mug['_id']}", {"quantity": 5})
    assert [line["quantity"] for line in answer["items"]] == [2, 5]


def test_setting_has_the_same_rules_as_adding(
    cart: str, lamp: ProductRow, alice: Person, sam: Person
) -> None:
    path = f"{cart}/items/{lamp['_id']}"
    assert alice.api.put(path, {"quantity": 1}).outcome == (404, "item_not_in_cart")
    alice.api.post(f"{cart}/items", item(lamp, 2))
    assert alice.api.put(path, {"quantity": 11}).outcome == (409, "insufficient_stock")
    assert alice.api.put(path, {"quantity": 0}).pointers == ["/quantity"]
    mismatch = alice.api.put(path, {"quantity": 1, "product_id": "0" * 24})
    assert mismatch.outcome == (409, "product_mismatch")
    assert alice.api.put(path, {}).pointers == ["/quantity"]
    assert alice.api.patch(path, {})["total_quantity"] == 2, "nothing was sent, nothing changes"
    assert alice.api.put(f"{cart}/items/x", {"quantity": 1}).outcome == (404, "item_not_in_cart")
    sam.api.patch(f"/products/{lamp['_id']}", {"status": "archived"})
    assert alice.api.put(path, {"quantity": 1}).outcome == (409, "product_unavailable")
    assert alice.api.get(cart)["total_quantity"] == 2


def test_a_line_can_be_removed(cart: str, make_product: MakeProduct, alice: Person) -> None:
    lamp, mug = make_product(), make_product(name="Mug")
    alice.api.put(cart, {"items": [item(lamp), item(mug)]})
    path = f"{cart}/items/{lamp['_id']}"
    answer = alice.api.delete(path)
    assert (answer.status, [line["name"] for line in answer["items"]]) == (200, ["Mug"])
    assert alice.api.delete(path).outcome == (404, "item_not_in_cart")


def test_a_line_whose_product_is_gone_can_still_be_removed(
    cart: str, lamp: ProductRow, alice: Person, sam: Person
) -> None:
    alice.api.post(f"{cart}/items", item(lamp))
    sam.api.delete(f"/products/{lamp['_id']}")
    assert alice.api.delete(f"{cart}/items/{lamp['_id']}")["items"] == []


@pytest.mark.parametrize("slash", ["", "/"])
def test_clearing_takes_everything_out(
    slash: str, cart: str, lamp: ProductRow, alice: Person
) -> None:
    alice.api.post(f"{cart}/items", item(lamp))
    answer = alice.api.delete(f"{cart}/clear{slash}")
    assert (answer.status, answer["items"], answer["subtotal"]) == (200, [], 0)


@pytest.mark.parametrize("change", ["add", "set", "remove", "clear"])
def test_if_match_guards_every_change(
    change: str, cart: str, lamp: ProductRow, alice: Person
) -> None:
    alice.api.post(f"{cart}/items", item(lamp, 2))
    line = f"{cart}/items/{lamp['_id']}"
    calls: dict[str, Callable[[str], Any]] = {
        "add": lambda tag: alice.api.post(f"{cart}/items", item(lamp), If_Match=tag),
        "set": lambda tag: alice.api.put(line, {"quantity": 1}, If_Match=tag),
        "remove": lambda tag: alice.api.delete(line, If_Match=tag),
        "clear": lambda tag: alice.api.delete(f"{cart}/clear", If_Match=tag),
    }
    refused = calls[change]('"v1"')
    assert refused.outcome == (412, "precondition_failed")
    assert refused["cart"] == alice.api.get(cart).json(), "what to do the change on again"
    assert alice.api.get(cart)["total_quantity"] == 2
    assert calls[change]('"v2"').status == 200


def at_once(count: int, work: Callable[[ApiClient], int], token: str | None) -> list[int]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: work(ApiClient(token)), range(count)))


def test_64_parallel_adds_lose_nothing(cart: str, make_product: MakeProduct, alice: Person) -> None:
    plenty = make_product(quantity=1000)
    statuses = at_once(
        64, lambda api: api.post(f"{cart}/items", item(plenty, 2)).status, alice.api.token
    )
    assert sorted(statuses) == [200] * 63 + [201]
    answer = alice.api.get(cart)
    assert (answer["total_quantity"], answer["version"], len(answer["items"])) == (128, 65, 1)


def test_parallel_adds_stop_exactly_at_999(
    cart: str, make_product: MakeProduct, alice: Person
) -> None:
    plenty = make_product(quantity=5000)
    statuses = at_once(
        32, lambda api: api.post(f"{cart}/items", item(plenty, 90)).status, alice.api.token
    )
    assert statuses.count(409) == 32 - 11
    assert alice.api.get(cart)["total_quantity"] == 990


def test_parallel_adds_stop_exactly_at_the_stock(
    cart: str, lamp: ProductRow, alice: Person
) -> None:
    statuses = at_once(
        32, lambda api: api.post(f"{cart}/items", item(lamp)).status, alice.api.token
    )
    assert statuses.count(409) == 22
    assert alice.api.get(cart)["total_quantity"] == 10


def test_parallel_adds_of_new_products_stop_exactly_at_100_lines(
    cart: str, make_product: MakeProduct, alice: Person
) -> None:
    products = [make_product() for _ in range(110)]
    alice.api.put(cart, {"items": [item(product) for product in products[:94]]})

    def add(product: ProductRow) -> int:
        return ApiClient(alice.api.token).post(f"{cart}/items", item(product)).status

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(add, products[94:]))
    assert sorted(statuses) == [201] * 6 + [409] * 10
    assert len(alice.api.get(cart)["items"]) == 100


def test_two_writers_with_one_etag_give_one_200_and_one_412(
    cart: str, lamp: ProductRow, alice: Person
) -> None:
    alice.api.post(f"{cart}/items", item(lamp))
    statuses = at_once(
        2,
        lambda api: api.put(f"{cart}/items/{lamp['_id']}", {"quantity": 3}, If_Match='"v2"').status,
        alice.api.token,
    )
    assert sorted(statuses) == [200, 412]


def test_an_if_match_that_no_version_can_meet_shows_the_cart_too(cart: str, alice: Person) -> None:
    refused = alice.api.delete(f"{cart}/clear", If_Match='"nonsense"')
    assert (refused.outcome, refused["cart"]["version"]) == ((412, "precondition_failed"), 1)


def test_a_failed_if_match_shows_nobody_elses_cart(cart: str, bob: Person) -> None:
    refused = bob.api.delete(f"{cart}/clear", If_Match='"nonsense"')
    assert refused.outcome == (404, "cart_not_found")
    assert b"items" not in refused.body
