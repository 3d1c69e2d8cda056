"""Reads of stock movements."""

from bson import ObjectId

from catalog.documents import StockMovement
from ecommerce.core.mongo import collection
from ecommerce.core.pagination import Page, PageRequest, fetch_page


def movement_page(product_id: ObjectId, request: PageRequest) -> Page:
    """The movements of a product, newest first."""
    return fetch_page(
        collection(StockMovement),
        tiers=[{"product_id": product_id}],
        ordering=(("_id", -1),),
        request=request,
    )
