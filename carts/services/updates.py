"""The guarded atomic updates of carts: the filter is what must be true, the update the change."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pymongo import ReturnDocument

from carts.documents import CartRow, LineRow, ShoppingCart
from carts.limits import MAX_LINE_QUANTITY, MAX_LINES
from catalog.documents import ProductRow
from ecommerce.core.mongo import collection, utc_now

Versions = Sequence[int] | None
"""The versions that a write accepts; None for any."""


def raise_line(where: Mapping[str, Any], quantity: int, product: ProductRow) -> CartRow | None:
    """Raise a line unless that takes it over its limit or over the stock that was just read."""
    room = min(MAX_LINE_QUANTITY, product["quantity"]) - quantity
    too_full = {"product_id": product["_id"], "quantity": {"$gt": room}}
    return update(
        {
            **where,
            "items.product_id": product["_id"],
            "$nor": [{"items": {"$elemMatch": too_full}}],
        },
        {"$inc": {"items.$.quantity": quantity}},
    )


def start_line(where: Mapping[str, Any], quantity: int, product: ProductRow) -> CartRow | None:
    """Start a line unless there is one by now, or the cart is full."""
    return update(
        {
            **where,
            "items.product_id": {"$ne": product["_id"]},
            f"items.{MAX_LINES - 1}": {"$exists": False},
        },
        {"$push": {"items": new_line(product, quantity)}},
    )


def update(where: Mapping[str, Any], change: Mapping[str, Any]) -> CartRow | None:
    """Apply one change and raise the version; the cart afterwards, None if nothing fits."""
    change = {
        **change,
        "$set": {**change.get("$set", {}), "updated_at": utc_now()},
        "$inc": {**change.get("$inc", {}), "version": 1},
    }
    row = collection(ShoppingCart).find_one_and_update(
        where, change, return_document=ReturnDocument.AFTER
    )
    return cast(CartRow | None, row)


def guard(cart: CartRow, expected_versions: Versions) -> dict[str, Any]:
    """The filter for this cart, still its owner's, at an accepted version."""
    return {"_id": cart["_id"], "user_id": cart["user_id"], **at_version(expected_versions)}


def at_version(expected_versions: Versions) -> dict[str, Any]:
    """The part of a filter that `If-Match` asks for."""
    return {} if expected_versions is None else {"version": {"$in": list(expected_versions)}}


def new_line(product: ProductRow, quantity: int) -> LineRow:
    """A line as it is stored, with the name and the price of this moment."""
    return {
        "product_id": product["_id"],
        "quantity": quantity,
        "name_at_add": product["name"],
        "price_at_add_minor": product["price_minor"],
        "added_at": utc_now(),
    }
