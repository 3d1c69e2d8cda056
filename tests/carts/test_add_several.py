"""POST /shopping-carts/{id}/items with `items`: several at once, all or none."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.carts.items import MakeProduct, item
from tests.client import ApiClient, Person


def test_several_items_are_one_change(cart: str, make_product: MakeProduct, alice: Person) -> None:
    lamp, mug, rug = (make_product(name=name) for name in ("Lamp", "Mug", "Rug"))
    alice.api.post(f"{cart}/items", item(mug, 2))
    answer = alice.api.post(
        f"{cart}/items", {"items": [item(lamp, 3), item(mug, 4), item(rug), item(lamp)]}
    )
    assert (answer.status, answer["version"]) == (201, 3)
    lines = [(line["name"], line["quantity"]) for line in answer["items"]]
    assert lines == [("Mug", 6), ("Lamp", 4), ("Rug", 1)]
    raised = alice.api.post(f"{cart}/items", {"items": [item(lamp), item(mug)]})
    assert (raised.status, raised["total_quantity"]) == (200, 13)


@pytest.mark.parametrize(
    ("values", "quantity", "outcome"),
    [
        ({"quantity": 1}, 2, (409, "insufficient_stock")),
        ({"status": "draft"}, 1, (409, "product_unavailable")),
        ({"quantity": 5000}, 999, (409, "quantity_limit")),
    ],
)
def test_one_that_cannot_be_added_keeps_all_out(
    values: dict[str, Any], quantity: int, outcome: tuple[int, str],
    cart: str, make_product: MakeProduct, alice: Person,
) -> None:  # fmt: skip
    good, bad = make_product(), make_product(**values)
    alice.api.post(f"{cart}/items", item(bad))
    before = alice.api.get(cart).json()
    answer = alice.api.post(f"{cart}/items", {"items": [item(good), item(bad, quantity)]})
    assert answer.outcome == outcome
    assert alice.api.get(cart).json() == before


def test_they_keep_to_100_lines(cart: str, make_product: MakeProduct, alice: Person) -> None:
    products = [make_product() for _ in range(101)]
    alice.api.post(f"{cart}/items", {"items": [item(product) for product in products[:99]]})
    refused = alice.api.post(f"{cart}/items", {"items": [item(p) for p in products[99:]]})
    assert refused.outcome == (409, "cart_full")
    assert len(alice.api.get(cart)["items"]) == 99
    body = {"items": [item(products[0]), item(products[99])]}
    assert len(alice.api.post(f"{cart}/items", body)["items"]) == 100


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"items": []}, "/items"),
        ({"items": [{"product_id": "0" * 24, "quantity": 1}] * 101}, "/items"),
        ({"items": [{"product_id": "0" * 24}]}, "/items/0/quantity"),
        ({"items": [{"product_id": "0" * 24, "quantity": "1"}]}, "/items/0/quantity"),
        ({"items": [{"product_id": "0" * 24, "quantity": 1}], "quantity": 1}, "/quantity"),
        ({"items": {}}, "/items"),
        ({"items": None}, "/items"),
    ],
)
def test_bad_input_names_the_field(body: Any, pointer: str, cart: str, alice: Person) -> None:
    answer = alice.api.post(f"{cart}/items", body)
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), [pointer])
    assert alice.api.get(cart)["version"] == 1


def test_parallel_adds_of_several_lose_nothing(
    cart: str, make_product: MakeProduct, alice: Person
) -> None:
    lamp, mug = make_product(quantity=500), make_product(quantity=500)

    def add(number: int) -> int:
        body = item(lamp) if number % 2 else {"items": [item(lamp, 2), item(mug, 3)]}
        return ApiClient(alice.api.token).post(f"{cart}/items", body).status

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(add, range(32)))
    assert set(statuses) == {200, 201}
    quantities = {line["product_id"]: line["quantity"] for line in alice.api.get(cart)["items"]}
    assert quantities == {str(lamp["_id"]): 16 + 32, str(mug["_id"]): 48}
