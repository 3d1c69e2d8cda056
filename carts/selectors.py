"""All reads of carts. Every one asks who is calling: carts are owned.

An expired cart is gone to the second: every filter asks for the expiry, because TTL indexes delete
up to a minute late.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from bson import ObjectId

from accounts.principal import Principal
from accounts.rules import SEES_ALL_CARTS, Rule
from carts.documents import CartRow, OpenCartRow, OpenCarts, OpenCartsRow, ShoppingCart
from carts.errors import CartNotFoundError, StaffOnlyFilterError
from carts.pricing import PricedCart
from carts.shopper import Shopper
from catalog.selectors import products_in_carts
from ecommerce.core.idempotency import Operation
from ecommerce.core.ids import parse_id
from ecommerce.core.mongo import collection, utc_now
from ecommerce.core.pagination import Page, PageRequest, fetch_page

_SHOWN: Final = {"operations": 0, "merged_sources": 0}
"""A cart as it is answered: without what only writes look at."""


def live() -> dict[str, Any]:
    """The part of every filter that leaves expired carts out."""
    return {"expires_at": {"$gt": utc_now()}}


def reachable(cart_id: str, *, shopper: Shopper, rule: Rule) -> dict[str, Any]:
    """The filter for a cart the shopper may have: their own, and any if the rule lets them.

    Raises:
        CartNotFoundError: the id is malformed, or nobody is asking.
    """
    wanted = {"_id": parse_id(cart_id, CartNotFoundError), **live()}
    if shopper.may(rule):
        return wanted
    rights = shopper.rights()
    if not rights:
        raise CartNotFoundError
    return {**wanted, **rights[0]} if len(rights) == 1 else {**wanted, "$or": rights}


def cart(cart_id: str, *, shopper: Shopper) -> PricedCart:
    """A cart the shopper may see, with present prices: two reads, whatever its size.

    Raises:
        CartNotFoundError: none that the shopper may see.
    """
    return priced(cart_row(reachable(cart_id, shopper=shopper, rule=SEES_ALL_CARTS), _SHOWN))


def cart_row(where: Mapping[str, Any], projection: Mapping[str, int] | None = None) -> CartRow:
    """The stored cart that a filter of this module finds.

    Raises:
        CartNotFoundError: none.
    """
    row = cart_found_by(where, projection)
    if row is None:
        raise CartNotFoundError
    return row


def cart_found_by(
    where: Mapping[str, Any], projection: Mapping[str, int] | None = None
) -> CartRow | None:
    """The stored cart that a filter finds."""
    return cast(CartRow | None, collection(ShoppingCart).find_one(where, projection))


def priced(row: CartRow) -> PricedCart:
    """The cart with its products, in one read."""
    return PricedCart(row, products_in_carts(product_ids(row)))


def product_ids(row: CartRow) -> set[ObjectId]:
    """The products that stand in the cart, those saved for later too."""
    return {line["product_id"] for line in (*row["items"], *row["saved_items"])}


def merged_into(cart: CartRow, *, shopper: Shopper) -> str | None:
    """Where a merged cart went, for who merged it and for those who see every cart."""
    intent = cart["merge"]
    told = intent["by"] == shopper.user_id or shopper.may(SEES_ALL_CARTS)
    return str(intent["into"]) if told else None


def cart_page(
    request: PageRequest, *, caller: Principal, wanted: Mapping[str, Any]
) -> tuple[Page, list[PricedCart]]:
    """Carts, newest first, with present prices, in two reads: the caller's own, and for staff any.

    Args:
        wanted: what staff looks for (see `filters_of`).

    Raises:
        StaffOnlyFilterError: a customer looks for something.
    """
    sees_all = caller.may(SEES_ALL_CARTS)
    if wanted and not sees_all:
        raise StaffOnlyFilterError
    whose = {} if sees_all else {"user_id": caller.id}
    page = fetch_page(
        collection(ShoppingCart),
        tiers=[{**whose, **live(), **filters_of(wanted)}],
        ordering=(("_id", -1),),
        request=request,
        projection=_SHOWN,
    )
    rows = [cast(CartRow, row) for row in page.rows]
    products = products_in_carts({product for row in rows for product in product_ids(row)})
    return page, [PricedCart(row, products) for row in rows]


def filters_of(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The filter for what was asked: user_id, product_id, guest, updated_before, updated_after."""
    found: dict[str, Any] = {}
    if "guest" in wanted:
        found["user_id"] = {"$exists": not wanted["guest"]}
    if "user_id" in wanted:  # a guest's cart that is a user's is none at all
        found["$and"] = [{"user_id": ObjectId(wanted["user_id"])}]
    if "product_id" in wanted:
        found["items.product_id"] = ObjectId(wanted["product_id"])
    bounds = {"updated_after": "$gt", "updated_before": "$lt"}
    if updated := {sign: wanted[name] for name, sign in bounds.items() if name in wanted}:
        found["updated_at"] = updated
    return found


def open_carts(user_id: ObjectId) -> list[OpenCartRow]:
    """The places that carts of the user take; some of the carts may be gone."""
    row = collection(OpenCarts).find_one({"_id": user_id})
    return cast(OpenCartsRow, row)["carts"] if row else []


def empty_cart(user_id: ObjectId) -> CartRow | None:
    """The user's oldest cart without any line."""
    nothing = {f"{place}.0": {"$exists": False} for place in ("items", "saved_items")}
    rows = collection(ShoppingCart).find({"user_id": user_id, **live(), **nothing})
    return next((cast(CartRow, row) for row in rows.sort([("_id", 1)]).limit(1)), None)


def made_by(operation: Operation, *, whose: Mapping[str, Any]) -> CartRow | None:
    """The cart that an earlier try made, or filled instead of making one; None: none did.

    Args:
        whose: the part of a filter that names the owner: `user_id` or `token_hash`.

    Raises:
        CartNotFoundError: there was one, and it is gone or another's by now.
    """
    carts = collection(ShoppingCart)
    found = carts.find_one({"_id": operation.id, **whose, **live()})
    if found is None and "user_id" in whose:
        found = carts.find_one({**whose, "operations": operation.id, **live()})
    if found is None and (operation.answered or carts.find_one({"_id": operation.id}, {"_id": 1})):
        raise CartNotFoundError
    return cast(CartRow | None, found)


def is_of(user_id: ObjectId, cart_id: ObjectId) -> bool:
    """Whether a cart is the user's."""
    return cart_found_by({"_id": cart_id, "user_id": user_id, **live()}, {"_id": 1}) is not None


def living(user_id: ObjectId, cart_ids: Sequence[ObjectId]) -> set[ObjectId]:
    """Which of these carts are there, and the user's."""
    where = {"_id": {"$in": cart_ids}, "user_id": user_id, **live()}
    return {row["_id"] for row in collection(ShoppingCart).find(where, {"_id": 1})}


def expired_carts(*, by: datetime, limit: int) -> list[ObjectId]:
    """Ids of carts that were gone for everybody at this moment, but are not deleted yet."""
    rows = collection(ShoppingCart).find(_expired(by), {"_id": 1}).limit(limit)
    return [row["_id"] for row in rows]


def count_expired_carts() -> int:
    """How many there are now."""
    return collection(ShoppingCart).count_documents(_expired(utc_now()))


def _expired(by: datetime) -> dict[str, Any]:
    return {"expires_at": {"$lte": by}}


def has_carts(user_id: ObjectId) -> bool:
    """Whether the user has any cart."""
    return cart_found_by({"user_id": user_id, **live()}) is not None


def stored_carts_of(user_id: ObjectId) -> Iterable[Mapping[str, Any]]:
    """Every cart of the user as it is stored, for their export."""
    return collection(ShoppingCart).find({"user_id": user_id}, dict(_SHOWN))


def stored_open_carts_of(user_id: ObjectId) -> Iterable[Mapping[str, Any]]:
    """The list of the user's open carts as it is stored, for their export."""
    return collection(OpenCarts).find({"_id": user_id})
