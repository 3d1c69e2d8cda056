"""How often each request about carts may ask the database: three times beside the identity.

Those that take more are named here and in docs/architecture.md, each with its reason.
"""

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import pytest

from catalog.documents import ProductRow
from tests.client import ApiClient, Person
from tests.operations import asked

IDENTITY: Final = "users.find"
READ, WRITE, PRODUCTS = "shopping_carts.find", "shopping_carts.findAndModify", "products.find"
INTO_THE_CART: Final = "/shopping-carts/{pk}/items/{product_id}"
SAVED: Final = "/shopping-carts/{pk}/saved-items/{product_id}"
ONE_LAMP: Final = {"product_id": "LAMP", "quantity": 1}
CALLS: Final[tuple[tuple[str, Any, list[str]], ...]] = (
    ("GET /shopping-carts/{pk}", None, [READ, PRODUCTS]),
    ("PUT /shopping-carts/{pk}", {"items": []}, [READ, PRODUCTS, WRITE]),
    ("PUT /shopping-carts/{pk}", {"items": [ONE_LAMP]}, [READ, PRODUCTS, WRITE]),
    ("PATCH /shopping-carts/{pk}", {"items": [ONE_LAMP]}, [READ, PRODUCTS, WRITE]),
    ("PATCH /shopping-carts/{pk}", {}, [READ, PRODUCTS]),
    ("DELETE /shopping-carts/{pk}", None, [READ, "shopping_carts.delete", "open_carts.update"]),
    ("DELETE /shopping-carts/{pk}/clear", None, [READ, WRITE, PRODUCTS]),
    ("POST /shopping-carts/{pk}/items", ONE_LAMP, [READ, PRODUCTS, WRITE]),
    ("POST /shopping-carts/{pk}/items", {"items": [ONE_LAMP]}, [READ, PRODUCTS, WRITE]),
    (f"PUT {INTO_THE_CART}", {"quantity": 3}, [READ, PRODUCTS, WRITE]),
    (f"PATCH {INTO_THE_CART}", {"quantity": 3}, [READ, PRODUCTS, WRITE]),
    (f"PATCH {INTO_THE_CART}", {"note": "For Ada"}, [READ, PRODUCTS, WRITE]),
    (f"PATCH {INTO_THE_CART}", {}, [READ, PRODUCTS]),
    (f"DELETE {INTO_THE_CART}", None, [READ, WRITE, PRODUCTS]),
    (f"POST {INTO_THE_CART}/save", None, [READ, WRITE, PRODUCTS]),
    (f"POST {SAVED}/restore", None, [READ, PRODUCTS, WRITE]),
    (f"DELETE {SAVED}", None, [READ, WRITE, PRODUCTS]),
    ("POST /shopping-carts/{pk}/refresh-prices", None, [READ, PRODUCTS, WRITE]),
)
"""Route, body, and what it takes."""


class Cart:
    """A lamp that costs more by now, and two products that are saved for later, one a mug."""

    def __init__(self, who: Person, make_product: Callable[..., ProductRow], sam: Person) -> None:
        made = [make_product(name=name) for name in ("Lamp", "Mug", "Rug")]
        self.lamp, self.mug, rug = (str(product["_id"]) for product in made)
        items = [{"product_id": one, "quantity": 2} for one in (self.lamp, self.mug, rug)]
        self.path = f"/shopping-carts/{who.api.post('/shopping-carts/', {'items': items})['id']}"
        for product in (self.mug, rug):
            assert who.api.post(f"{self.path}/items/{product}/save").status == 200
        assert sam.api.patch(f"/products/{self.lamp}", {"price": 25}).status == 200

    def address(self, path: str) -> str:
        """Where a route leads; what is saved is the mug."""
        product = self.mug if path.startswith(SAVED) else self.lamp
        start = "/shopping-carts/{pk}"
        return self.path + path.removeprefix(start).format(product_id=product)

    def body(self, body: Any) -> Any:
        """With the lamp in it."""
        if isinstance(body, dict) and "items" in body:
            return {"items": [self.body(one) for one in body["items"]]}
        return body | {"product_id": self.lamp} if body and "product_id" in body else body


@pytest.fixture
def cart(alice: Person, sam: Person, make_product: Callable[..., ProductRow]) -> Cart:
    return Cart(alice, make_product, sam)


@pytest.mark.parametrize(("route", "body", "expected"), CALLS)
def test_a_cart_call_takes_at_most_three_operations_beside_the_identity(
    route: str, body: Any, expected: list[str], cart: Cart, alice: Person
) -> None:
    method, _, path = route.partition(" ")
    status = 204 if path == "/shopping-carts/{pk}" and method == "DELETE" else 200
    address, content = cart.address(path), cart.body(body)
    seen = asked(lambda: alice.api.send(method, address, content), status=status)
    assert seen == [IDENTITY, *expected]
    assert len(expected) <= 3


def test_staff_that_changes_a_customers_cart_takes_one_more_for_the_audit_log(
    cart: Cart, sam: Person
) -> None:
    body = cart.body(ONE_LAMP)
    assert asked(lambda: sam.api.post(f"{cart.path}/items", body)) == [
        IDENTITY, READ, PRODUCTS, "audit_events.insert", WRITE,
    ]  # fmt: skip


@pytest.mark.parametrize("lines", [1, 10, 100])
@pytest.mark.parametrize("keyed", [False, True])
def test_an_add_takes_three_operations_and_two_more_with_a_key_whatever_the_cart_holds(
    keyed: bool, lines: int, alice: Person, make_product: Callable[..., ProductRow]
) -> None:
    items = [{"product_id": str(make_product()["_id"]), "quantity": 1} for _ in range(lines)]
    cart = alice.api.post("/shopping-carts/", {"items": items})["id"]
    key = {"Idempotency_Key": str(uuid4())} if keyed else {}
    add = ["shopping_carts.find", "products.find", "shopping_carts.findAndModify"]
    if keyed:
        add = ["idempotency_records.insert", *add, "idempotency_records.findAndModify"]
    path = f"/shopping-carts/{cart}/items"
    assert asked(lambda: alice.api.post(path, items[0], **key)) == [IDENTITY, *add]


def test_a_merge_takes_its_three_updates_and_two_reads(alice: Person, lamp: ProductRow) -> None:
    items = {"items": [{"product_id": str(lamp["_id"]), "quantity": 2}]}
    guests = ApiClient().post("/shopping-carts/", items)
    body = {"into": alice.api.post("/shopping-carts/", items)["id"]}
    path, token = f"/shopping-carts/{guests['id']}/merge", guests["cart_token"]
    assert asked(lambda: alice.api.post(path, body, X_Cart_Token=token)) == [
        IDENTITY, "shopping_carts.findAndModify", "shopping_carts.find", "products.find",
        "shopping_carts.findAndModify", "shopping_carts.update",
    ]  # fmt: skip


def test_a_merge_of_a_guests_cart_that_becomes_the_users_takes_four(
    alice: Person, lamp: ProductRow
) -> None:
    items = {"items": [{"product_id": str(lamp["_id"]), "quantity": 2}]}
    guests = ApiClient().post("/shopping-carts/", items)
    path, token = f"/shopping-carts/{guests['id']}/merge", guests["cart_token"]
    assert asked(lambda: alice.api.post(path, {}, X_Cart_Token=token)) == [
        IDENTITY, READ, "open_carts.update", WRITE, PRODUCTS,
    ]  # fmt: skip


def test_a_page_of_carts_takes_two_reads_whatever_its_size(alice: Person, lamp: ProductRow) -> None:
    items = {"items": [{"product_id": str(lamp["_id"]), "quantity": 1}]}
    for _ in range(7):
        alice.api.post("/shopping-carts/", items)
    assert asked(lambda: alice.api.get("/shopping-carts/")) == [
        IDENTITY, "shopping_carts.find", "products.find",
    ]  # fmt: skip


def test_a_new_cart_with_items_takes_three_operations(alice: Person, lamp: ProductRow) -> None:
    items = {"items": [{"product_id": str(lamp["_id"]), "quantity": 1}]}
    seen = asked(lambda: alice.api.post("/shopping-carts/", items), status=201)
    assert seen[0] == IDENTITY
    assert seen[1:] == ["products.find", "open_carts.update", "shopping_carts.insert"]


def test_a_guests_new_cart_takes_two(anyone: ApiClient, lamp: ProductRow) -> None:
    items = {"items": [{"product_id": str(lamp["_id"]), "quantity": 1}]}
    assert asked(lambda: anyone.post("/shopping-carts/", items), status=201) == [
        "products.find", "shopping_carts.insert",
    ]  # fmt: skip


def test_a_cart_started_with_20_open_ones_takes_six(alice: Person, lamp: ProductRow) -> None:
    items = {"items": [{"product_id": str(lamp["_id"]), "quantity": 1}]}
    carts = [alice.api.post("/shopping-carts/", items)["id"] for _ in range(20)]
    alice.api.delete(f"/shopping-carts/{carts[5]}/clear")
    assert asked(lambda: alice.api.post("/shopping-carts/", items), status=201) == [
        # The products; no place is free; is one of a cart that is gone? an empty cart, filled.
        IDENTITY, PRODUCTS, "open_carts.update", "open_carts.find", READ, READ, WRITE,
    ]  # fmt: skip
    assert asked(lambda: alice.api.post("/shopping-carts/", items), status=409) == [
        IDENTITY, PRODUCTS, "open_carts.update", "open_carts.find", READ, READ,
    ]  # fmt: skip
