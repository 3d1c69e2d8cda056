"""Each rule of carts: what breaks it is reported by it alone, and mended where that is safe."""

from datetime import timedelta
from typing import Any, Final

import pytest
from bson import ObjectId

from accounts.documents import RefreshFamily, User
from carts.documents import OpenCarts, ShoppingCart
from ecommerce.core.money import MAX_MINOR
from ecommerce.core.mongo import collection, utc_now
from tests.invariants.shop import Breakage, Shop, broken, check, drop, put, stored


def cart(shop: Shop) -> dict[str, Any]:
    """Alice's."""
    return stored(ShoppingCart, shop.cart) or {}


def guest(shop: Shop) -> dict[str, Any]:
    return stored(ShoppingCart, shop.guest) or {}


def listed(shop: Shop) -> list[ObjectId]:
    """Bob's open carts."""
    return [place["cart_id"] for place in (stored(OpenCarts, shop.bob) or {})["carts"]]


def user_goes(shop: Shop) -> str:
    collection(User).delete_one({"_id": shop.bob})
    return str(shop.other_cart)


def two_lines(shop: Shop, quantity: int) -> str:
    line = {**cart(shop)["items"][0], "quantity": quantity}
    return put(ShoppingCart, shop.cart, items=[line, line])


def a_second_line_with_a_note(shop: Shop) -> str:
    silent = {name: x for name, x in cart(shop)["items"][0].items() if name != "note"}
    return put(ShoppingCart, shop.cart, items=[silent, {**silent, "note": "To Ann"}])


def means_to_merge(shop: Shop, into: ObjectId) -> str:
    intent = {
        "operation": ObjectId(), "into": into, "mode": "sum", "by": shop.alice, "at": utc_now(),
    }  # fmt: skip
    return put(ShoppingCart, shop.guest, merge=intent)


def merged_twice(shop: Shop) -> str:
    return put(ShoppingCart, shop.cart, merged_sources=cart(shop)["merged_sources"] * 2)


def list_of_nobody(shop: Shop) -> str:
    row = {**(stored(OpenCarts, shop.bob) or {}), "_id": ObjectId(), "carts": []}
    collection(OpenCarts).insert_one(row)
    return str(row["_id"])


def foreign_cart_listed(shop: Shop) -> str:
    places = [{"cart_id": one, "at": utc_now()} for one in (shop.other_cart, shop.cart)]
    return put(OpenCarts, shop.bob, carts=places)


def bobs_family(shop: Shop) -> Any:
    return (collection(RefreshFamily).find_one({"user_id": shop.bob}) or {})["_id"]


BREAKAGES: Final = [
    Breakage(
        "shopping_carts.whose",
        "nobody's",
        lambda shop: drop(ShoppingCart, shop.guest, "token_hash"),
    ),
    Breakage(
        "shopping_carts.whose",
        "a secret as it is",
        lambda shop: put(ShoppingCart, shop.guest, token_hash="secret"),
    ),
    Breakage(
        "shopping_carts.owner",
        "the user is gone",
        user_goes,
        lambda shop: (
            stored(ShoppingCart, shop.other_cart) is None and stored(OpenCarts, shop.bob) is None
        ),
        also={"open_carts.holder": lambda shop: shop.bob, "refresh_families.owner": bobs_family},
    ),
    Breakage(
        "shopping_carts.listed",
        "an empty list",
        lambda shop: put(OpenCarts, shop.bob, carts=[]) and str(shop.other_cart),
        lambda shop: listed(shop) == [shop.other_cart],
    ),
    Breakage(
        "shopping_carts.lines",
        "a wrong key",
        lambda shop: put(ShoppingCart, shop.cart, items__0__key="x"),
        lambda shop: cart(shop)["items"][0]["key"] == str(shop.lamp),
    ),
    Breakage(
        "shopping_carts.lines",
        "two lines that one can hold",
        lambda shop: two_lines(shop, 499),
        lambda shop: [line["quantity"] for line in cart(shop)["items"]] == [998],
    ),
    Breakage(
        "shopping_carts.lines",
        "two lines, of which the second has a note",
        a_second_line_with_a_note,
        lambda shop: [line["note"] for line in cart(shop)["items"]] == ["To Ann"],
    ),
    Breakage(
        "shopping_carts.lines", "two lines that one cannot hold", lambda shop: two_lines(shop, 500)
    ),
    Breakage(
        "shopping_carts.prices",
        "too high",
        lambda shop: put(ShoppingCart, shop.cart, items__0__price_at_add_minor=MAX_MINOR + 1),
    ),
    Breakage(
        "shopping_carts.attributes",
        "one name twice",
        lambda shop: put(
            ShoppingCart, shop.cart, items__0__attributes=[{"name": "a", "value": "b"}] * 2
        ),
    ),
    Breakage(
        "shopping_carts.expiry",
        "none",
        lambda shop: drop(ShoppingCart, shop.guest, "expires_at"),
        lambda shop: guest(shop)["expires_at"] > utc_now() + timedelta(days=29),
    ),
    Breakage(
        "shopping_carts.expiry",
        "later than guests' carts are kept",
        lambda shop: put(
            ShoppingCart, shop.guest, expires_at=utc_now() + timedelta(days=30, minutes=5)
        ),
        lambda shop: guest(shop)["expires_at"] <= utc_now() + timedelta(days=30),
    ),
    Breakage(
        "shopping_carts.merge",
        "merged without an intent",
        lambda shop: put(ShoppingCart, shop.guest, merged_into=shop.cart),
    ),
    Breakage(
        "shopping_carts.merge",
        "gone elsewhere",
        lambda shop: put(ShoppingCart, shop.source, merged_into=shop.other_cart),
    ),
    Breakage(
        "shopping_carts.target",
        "meant for a cart that is gone",
        lambda shop: means_to_merge(shop, ObjectId()),
        lambda shop: "merge" not in guest(shop),
    ),
    Breakage(
        "shopping_carts.target",
        "meant for a cart of somebody else",
        lambda shop: means_to_merge(shop, shop.other_cart),
        lambda shop: "merge" not in guest(shop),
    ),
    Breakage(
        "shopping_carts.target",
        "went into a cart of somebody else",
        lambda shop: put(ShoppingCart, shop.source, merge__by=shop.bob),
    ),
    Breakage("shopping_carts.sources", "one source twice", merged_twice),
    Breakage(
        "shopping_carts.operations",
        "one operation twice",
        lambda shop: put(ShoppingCart, shop.cart, operations=[ObjectId("a" * 24)] * 2),
    ),
    Breakage(
        "open_carts.holder",
        "no such user",
        list_of_nobody,
        lambda _: collection(OpenCarts).count_documents({}) == 2,
    ),
    Breakage(
        "open_carts.own",
        "a cart of somebody else",
        foreign_cart_listed,
        lambda shop: listed(shop) == [shop.other_cart],
    ),
]


@pytest.mark.parametrize("breakage", BREAKAGES, ids=str)
def test_what_breaks_a_rule_is_reported_by_it_and_mended_where_that_is_safe(
    breakage: Breakage, shop: Shop
) -> None:
    check(breakage, shop)


def test_a_cart_may_outlive_the_one_it_was_merged_into(shop: Shop) -> None:
    collection(ShoppingCart).delete_one({"_id": shop.cart})
    assert broken() == {}


def test_a_list_may_name_carts_that_are_gone(shop: Shop) -> None:
    collection(ShoppingCart).delete_one({"_id": shop.other_cart})
    assert broken() == {}


def test_an_expired_cart_needs_no_place_on_a_list(shop: Shop) -> None:
    put(ShoppingCart, shop.other_cart, expires_at=utc_now() - timedelta(seconds=1))
    put(OpenCarts, shop.bob, carts=[])
    assert broken() == {}


def test_a_full_list_takes_no_further_cart(shop: Shop) -> None:
    places = [{"cart_id": ObjectId(), "at": utc_now()} for _ in range(20)]
    put(OpenCarts, shop.bob, carts=places)
    check(Breakage("shopping_carts.listed", "full", lambda _: str(shop.other_cart)), shop)
