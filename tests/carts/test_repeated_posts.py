"""Idempotency-Key on every POST of carts: whatever crashes where, a retry has one effect."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from carts.documents import ShoppingCart
from carts.services import ShoppingCartService
from carts.shopper import Shopper
from catalog.documents import ProductRow
from ecommerce.core.documents import IdempotencyRecord
from ecommerce.core.idempotency import Operation
from ecommerce.core.mongo import collection, utc_now
from tests.carts.items import item
from tests.client import Answer, ApiClient, Person
from tests.faults import DiesAt, KilledError

KEY = "0b5b6d0e-6a53-4c1a-9f39-000000000001"


def lease_ends() -> None:
    ended = utc_now() - timedelta(seconds=1)
    collection(IdempotencyRecord).update_many({}, {"$set": {"lease_until": ended}})


POSTS: list[tuple[str, Callable[[ProductRow, ProductRow], Any], tuple[int, int]]] = [
    ("/items", lambda lamp, mug: item(lamp, 3), (5, 1)),
    ("/items", lambda lamp, mug: {"items": [item(lamp, 3), item(mug, 2)]}, (7, 1)),
    ("/items/LAMP/save", lambda lamp, mug: None, (0, 3)),
    ("/saved-items/MUG/restore", lambda lamp, mug: None, (3, 0)),
    ("/refresh-prices", lambda lamp, mug: None, (2, 1)),
]
"""Path, body, and the pieces in the cart and saved afterwards: before it is 2 lamps and 1 mug."""


def pieces(cart: Answer) -> tuple[int, int]:
    return cart["total_quantity"], sum(line["quantity"] for line in cart["saved_items"])


@pytest.mark.parametrize("step", ["", "idempotency.claimed", "idempotency.effect"])
@pytest.mark.parametrize(("path", "body", "after"), POSTS, ids=[f"{p[0]} {p[2]}" for p in POSTS])
def test_a_retry_changes_the_cart_once(
    step: str, path: str, body: Callable[[ProductRow, ProductRow], Any], after: tuple[int, int],
    make_product: Callable[..., ProductRow], alice: Person, sam: Person,
    dies_at: DiesAt,
) -> None:  # fmt: skip
    lamp, mug = make_product(), make_product()
    cart = f"/shopping-carts/{alice.api.post('/shopping-carts/', {})['id']}"
    alice.api.post(f"{cart}/items", {"items": [item(lamp, 2), item(mug)]})
    alice.api.post(f"{cart}/items/{mug['_id']}/save")
    sam.api.patch(f"/products/{lamp['_id']}", {"price": 25})
    address = cart + path.replace("LAMP", str(lamp["_id"])).replace("MUG", str(mug["_id"]))

    def post() -> Answer:
        return alice.api.post(address, body(lamp, mug), Idempotency_Key=KEY)

    if step:
        dies_at(step)
        with pytest.raises(KilledError):
            post()
        lease_ends()
    else:
        post()
    answer = post()
    assert answer.status in {200, 201}
    assert answer.headers["Idempotent-Replayed"] == "true"
    now = alice.api.get(cart)
    assert (pieces(now), now["version"]) == (after, 4)
    assert post().body == answer.body


def test_an_add_that_was_done_is_not_done_again_after_others(
    lamp: ProductRow, alice: Person, dies_at: DiesAt
) -> None:
    cart = f"/shopping-carts/{alice.api.post('/shopping-carts/', {})['id']}"
    dies_at("idempotency.effect")
    with pytest.raises(KilledError):
        alice.api.post(f"{cart}/items", item(lamp, 3), Idempotency_Key=KEY)
    lease_ends()
    alice.api.post(f"{cart}/items", item(lamp, 2))
    answer = alice.api.post(f"{cart}/items", item(lamp, 3), Idempotency_Key=KEY)
    assert (answer.status, answer["total_quantity"]) == (200, 5), "the present state"


@pytest.mark.parametrize("step", ["", "idempotency.claimed", "idempotency.effect"])
def test_a_retry_makes_one_cart_and_a_guest_gets_the_same_secret(
    step: str, lamp: ProductRow, anyone: ApiClient, dies_at: DiesAt
) -> None:
    def post() -> Answer:
        return anyone.post("/shopping-carts/", {"items": [item(lamp, 2)]}, Idempotency_Key=KEY)

    first = None
    if step:
        dies_at(step)
        with pytest.raises(KilledError):
            post()
        lease_ends()
    else:
        first = post()
    answer = post()
    assert answer.status == 201
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert first is None or first.json() == answer.json()
    assert collection(ShoppingCart).count_documents({}) == 1
    path = f"/shopping-carts/{answer['id']}"
    assert anyone.get(path, X_Cart_Token=answer["cart_token"])["total_quantity"] == 2


@pytest.mark.parametrize("key", ["1", "0000000000000042"[1:]])
def test_a_guest_without_a_secret_needs_a_key_that_is_hard_to_guess(
    key: str, lamp: ProductRow, anyone: ApiClient
) -> None:
    """Behind one address, another guest with the same key would get the same cart."""
    body = {"items": [item(lamp)]}
    answer = anyone.post("/shopping-carts/", body, Idempotency_Key=key)
    assert answer.outcome == (400, "invalid_idempotency_key")
    assert "at least 16 characters" in answer["detail"]
    assert collection(ShoppingCart).count_documents({}) == 0
    assert anyone.post("/shopping-carts/", body, Idempotency_Key=f"{key:0>16}").status == 201


def test_who_has_a_secret_of_their_own_may_number_their_requests(
    lamp: ProductRow, anyone: ApiClient, alice: Person
) -> None:
    assert alice.api.post("/shopping-carts/", {}, Idempotency_Key="1").status == 201
    cart = anyone.post("/shopping-carts/", {})
    path, headers = f"/shopping-carts/{cart['id']}/items", {"X_Cart_Token": cart["cart_token"]}
    for _ in range(2):
        answer = anyone.post(path, item(lamp), Idempotency_Key="1", **headers)
    assert answer["total_quantity"] == 1


def test_the_secret_of_a_guest_is_in_no_record(anyone: ApiClient) -> None:
    made = anyone.post("/shopping-carts/", {}, Idempotency_Key=KEY)
    (record,) = collection(IdempotencyRecord).find({})
    assert made["cart_token"] not in str(record)
    assert "body" not in record


def test_a_cart_remembers_100_operations(lamp: ProductRow, alice: Person) -> None:
    cart_id = alice.api.post("/shopping-carts/", {})["id"]
    earlier = [ObjectId() for _ in range(100)]
    where = {"_id": ObjectId(cart_id)}
    collection(ShoppingCart).update_one(where, {"$set": {"operations": earlier}})
    alice.api.post(f"/shopping-carts/{cart_id}/items", item(lamp), Idempotency_Key=KEY)
    stored = collection(ShoppingCart).find_one(where)
    (record,) = collection(IdempotencyRecord).find({})
    assert stored is not None
    assert stored["operations"] == [*earlier[1:], record["operation_id"]]


def guests_cart(anyone: ApiClient, *items: dict[str, Any]) -> Answer:
    return anyone.post("/shopping-carts/", {"items": items}, Idempotency_Key=KEY)


def test_a_guest_gets_their_cart_though_the_product_has_sold_out_since(
    lamp: ProductRow, anyone: ApiClient, sam: Person
) -> None:
    made = guests_cart(anyone, item(lamp, 2))
    sam.api.patch(f"/products/{lamp['_id']}", {"quantity": 0})
    again = guests_cart(anyone, item(lamp, 2))
    assert (again.status, again["id"], again["cart_token"]) == (
        201, made["id"], made["cart_token"],
    )  # fmt: skip
    assert again["items"][0]["problem"]["code"] == "insufficient_stock"


def test_a_cart_that_its_guest_deleted_is_not_made_again(anyone: ApiClient) -> None:
    made = guests_cart(anyone)
    path = f"/shopping-carts/{made['id']}"
    assert anyone.delete(path, X_Cart_Token=made["cart_token"]).status == 204
    assert guests_cart(anyone).outcome == (404, "cart_not_found")
    assert collection(ShoppingCart).count_documents({}) == 0


def test_a_cart_that_is_a_user_s_by_now_is_no_guest_s_any_more(
    anyone: ApiClient, alice: Person
) -> None:
    made = guests_cart(anyone)
    path, body = f"/shopping-carts/{made['id']}/merge", {"mode": "sum"}
    assert alice.api.post(path, body, X_Cart_Token=made["cart_token"]).status == 200
    assert guests_cart(anyone).outcome == (404, "cart_not_found")


def test_two_tries_at_once_use_one_empty_cart_though_they_put_nothing_into_it(
    lamp: ProductRow, alice: Person
) -> None:
    carts = [alice.api.post("/shopping-carts/", {"items": [item(lamp)]})["id"] for _ in range(20)]
    alice.api.delete(f"/shopping-carts/{carts[7]}/clear")
    operation = Operation(ObjectId(), keyed=True)
    shopper = Shopper(alice.principal)
    for _ in range(2):  # the second is a first try too, but slow
        used, _ = ShoppingCartService.create(shopper=shopper, operation=operation)
        assert str(used.row["_id"]) == carts[7]
