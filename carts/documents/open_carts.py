"""Which carts a user has open: what keeps their number at its limit."""

from datetime import datetime
from typing import Any, TypedDict

from bson import ObjectId
from mongoengine import (
    DateTimeField,
    Document,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    IntField,
    ObjectIdField,
)

from carts.limits import MAX_OPEN_CARTS
from ecommerce.core.mongo import utc_now


class OpenCartRow(TypedDict):
    """A stored place in the list."""

    cart_id: ObjectId
    at: datetime


class OpenCartsRow(TypedDict):
    """A stored list, as MongoDB gives it."""

    _id: ObjectId
    carts: list[OpenCartRow]
    version: int
    created_at: datetime
    updated_at: datetime


class OpenCart(EmbeddedDocument):
    """A place, taken just before the cart is made."""

    cart_id = ObjectIdField(required=True)
    at = DateTimeField(required=True)
    """A place is not given to another while its cart may still be on its way."""


class OpenCarts(Document):
    """The list of one user; `_id` is the user's id. It may name carts that are gone."""

    id = ObjectIdField(primary_key=True)
    carts = EmbeddedDocumentListField(OpenCart, max_length=MAX_OPEN_CARTS)
    version = IntField(required=True, default=1)
    created_at = DateTimeField(required=True, default=utc_now)
    updated_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "open_carts",
        "auto_create_index": False,
        "index_cls": False,
        "sharding": {"_id": "hashed"},  # docs/adr/0004: one a user, every path is by it
        "indexes": [],
    }
