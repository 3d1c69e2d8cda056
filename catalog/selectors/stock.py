"""Reads of stock movements."""

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
