"""Carts of guests: who has the secret has the cart, and nobody else."""

import hashlib
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from carts.documents import ShoppingCart
from catalog.documents import ProductRow
from ecommerce.core.mongo import collection, utc_now
from tests.carts.items import item
from tests.client import Answer, ApiClient, Person


def new_guest_cart(api: ApiClient) -> Answer:
    answer = api.post("/shopping-carts/", {})
    assert answer.status == 201
    return answer


def test_a_guest_gets_a_cart_and_its_secret_once(anyone: ApiClient) -> None:
    made = new_guest_cart(anyone)
    token = made["cart_token"]
    assert made["user_id"] is None
    assert len(token) == 43, "256 bits in base64"
    assert made.headers["Cache-Control"] == "no-store"
    assert token not in made.headers["Location"]
    read = anyone.get(f"/shopping-carts/{made['id']}", X_Cart_Token=token)
    assert read.json() == {k: v for k, v in made.json().items() if k != "cart_token"}
    assert new_guest_cart(anyone)["cart_token"] != token


def test_only_the_hash_of_the_secret_is_stored(anyone: ApiClient) -> None:
    made = new_guest_cart(anyone)
    stored = collection(ShoppingCart).find_one({"_id": ObjectId(made["id"])})
    assert stored is not None
    assert stored["token_hash"] == hashlib.sha256(made["cart_token"].encode()).hexdigest()
    assert made["cart_token"] not in str(stored)


def test_the_secret_is_in_no_log(anyone: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        made = new_guest_cart(anyone)
        anyone.get(f"/shopping-carts/{made['id']}", X_Cart_Token=made["cart_token"])
        anyone.get("/shopping-carts/nothing", X_Cart_Token=made["cart_token"])
    assert made["cart_token"] not in caplog.text


def test_a_user_gets_no_secret(alice: Person) -> None:
    assert "cart_token" not in alice.api.post("/shopping-carts/", {}).json()


ROUTES: list[tuple[str, str, Any, int]] = [
    ("get", "", None, 200),
    ("put", "", {"items": []}, 200),
    ("patch", "", {"items": []}, 200),
    ("delete", "", None, 204),
    ("post", "/items", {"product_id": "LAMP", "quantity": 1}, 200),
    ("put", "/items/LAMP", {"quantity": 5}, 200),
    ("patch", "/items/LAMP", {"quantity": 5}, 200),
    ("delete", "/items/LAMP", None, 200),
    ("post", "/items/LAMP/save", None, 200),
    ("post", "/saved-items/MUG/restore", None, 200),
    ("delete", "/saved-items/MUG", None, 200),
    ("delete", "/clear", None, 200),
    ("post", "/refresh-prices", None, 200),
]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: " ".join(route[:2]))
def test_every_path_is_open_to_the_secret_and_to_nothing_else(
    route: tuple[str, str, Any, int], make_product: Callable[..., ProductRow],
    alice: Person, anyone: ApiClient,
) -> None:  # fmt: skip
    lamp, mug = str(make_product()["_id"]), str(make_product()["_id"])
    made, other = new_guest_cart(anyone), new_guest_cart(anyone)
    cart, token = f"/shopping-carts/{made['id']}", made["cart_token"]
    both = [{"product_id": lamp, "quantity": 2}, {"product_id": mug, "quantity": 1}]
    anyone.post(f"{cart}/items", {"items": both}, X_Cart_Token=token)
    anyone.post(f"{cart}/items/{mug}/save", X_Cart_Token=token)
    method, path, body, status = route
    address = cart + path.replace("LAMP", lamp).replace("MUG", mug)
    body = {**body, "product_id": lamp} if body and "product_id" in body else body

    def call(api: ApiClient, **headers: str) -> Answer:
        return api.send(method.upper(), address, body, headers=headers)

    before = list(collection(ShoppingCart).find({}))
    for refused in (
        call(anyone), call(alice.api), call(anyone, X_Cart_Token=""),
        call(anyone, X_Cart_Token=other["cart_token"]), call(anyone, X_Cart_Token="x" * 43),
        call(alice.api, X_Cart_Token=other["cart_token"]), call(anyone, X_Cart_Token="\u00e9"),
        call(anyone, X_Cart_Token=token[:-1]), call(anyone, X_Cart_Token=token + "="),
        call(anyone, X_Cart_Token=before[0]["token_hash"]),
    ):  # fmt: skip
        assert refused.outcome == (404, "cart_not_found")
    assert list(collection(ShoppingCart).find({})) == before
    assert call(anyone, X_Cart_Token=token).status == status


def test_somebody_signed_in_may_use_the_secret_too(
    lamp: ProductRow, alice: Person, anyone: ApiClient
) -> None:
    made = new_guest_cart(anyone)
    path = f"/shopping-carts/{made['id']}/items"
    assert alice.api.post(path, item(lamp), X_Cart_Token=made["cart_token"]).status == 201


def test_a_bad_bearer_token_is_401_whatever_the_secret(anyone: ApiClient) -> None:
    made = new_guest_cart(anyone)
    answer = ApiClient("nonsense").get(
        f"/shopping-carts/{made['id']}", X_Cart_Token=made["cart_token"]
    )
    assert answer.outcome == (401, "invalid_token")


def test_a_guest_is_nobody_elses_cart_owner(anyone: ApiClient, alice: Person) -> None:
    answer = anyone.post("/shopping-carts/", {"user_id": alice.id})
    assert answer.outcome == (403, "foreign_user")
    assert collection(ShoppingCart).count_documents({}) == 0


def age(cart_id: str, **expires_in: float) -> None:
    """Have the cart expire in so long a time from now."""
    collection(ShoppingCart).update_one(
        {"_id": ObjectId(cart_id)}, {"$set": {"expires_at": utc_now() + timedelta(**expires_in)}}
    )


@pytest.mark.parametrize(("who", "days"), [("guest", 30), ("user", 90)])
def test_every_change_moves_the_expiry(
    who: str, days: int, lamp: ProductRow, alice: Person, anyone: ApiClient
) -> None:
    api = anyone if who == "guest" else alice.api
    made = new_guest_cart(api)
    headers = {"X_Cart_Token": made.json().get("cart_token", "")}
    path = f"/shopping-carts/{made['id']}"

    def remaining() -> timedelta:
        stored = collection(ShoppingCart).find_one({"_id": ObjectId(made["id"])})
        assert stored is not None
        left: timedelta = stored["expires_at"] - stored["updated_at"]
        return left

    assert remaining() == timedelta(days=days)
    age(made["id"], days=1)
    api.get(path, **headers)
    assert remaining() < timedelta(days=2), "reading moves nothing"
    api.post(f"{path}/items", item(lamp), **headers)
    assert remaining() == timedelta(days=days)


def test_an_expired_cart_is_gone_to_the_second(lamp: ProductRow, alice: Person) -> None:
    cart_id = alice.api.post("/shopping-carts/", {"items": [item(lamp)]})["id"]
    path = f"/shopping-carts/{cart_id}"
    age(cart_id, minutes=1)
    assert alice.api.get(path).status == 200
    age(cart_id, seconds=-1)
    before = list(collection(ShoppingCart).find({}))
    for method, under, body in (
        ("GET", "", None), ("PUT", "", {"items": []}), ("DELETE", "", None),
        ("POST", "/items", item(lamp)), ("DELETE", "/clear", None),
        ("POST", "/refresh-prices", None),
    ):  # fmt: skip
        assert alice.api.send(method, path + under, body).outcome == (404, "cart_not_found")
    assert alice.api.get("/shopping-carts/")["items"] == []
    assert list(collection(ShoppingCart).find({})) == before
