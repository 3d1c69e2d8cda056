"""Reads of stock movements."""

from collections.abc import Iterable, Mapping
from typing import Any

from bson import ObjectId

from catalog.documents import StockMovement
from ecommerce.core.mongo import collection
from ecommerce.core.pagination import Page, PageRequest, fetch_page


def movement_is_filed(movement_id: ObjectId) -> bool:
    """Whether the movement stands in the collection of its own."""
    return collection(StockMovement).find_one({"_id": movement_id}, {"_id": 1}) is not None


def movement_page(product_id: ObjectId, request: PageRequest) -> Page:
    """The movements of a product, newest first."""
    return fetch_page(
        collection(StockMovement),
        tiers=[{"product_id": product_id}],
        ordering=(("_id", -1),),
        request=request,
    )


def stored_movements_by(user_id: ObjectId) -> Iterable[Mapping[str, Any]]:
    """Every movement that the user made, for their export."""
    return collection(StockMovement).find({"by": user_id}).sort([("_id", -1)])
