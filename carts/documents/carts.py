"""Carts and their lines."""

from datetime import datetime
from typing import Any, TypedDict

from bson import ObjectId
from mongoengine import (
    DateTimeField,
    Document,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    IntField,
    LongField,
    ObjectIdField,
    StringField,
)

from carts.limits import MAX_LINE_QUANTITY, MAX_LINES
from ecommerce.core.mongo import utc_now


class LineRow(TypedDict):
    """A stored line. Name and price are those of the moment it was added."""

    product_id: ObjectId
    quantity: int
    name_at_add: str
    price_at_add_minor: int
    added_at: datetime


class CartRow(TypedDict):
    """A stored cart, as MongoDB gives it."""

    _id: ObjectId
    user_id: ObjectId
    items: list[LineRow]
    version: int
    created_at: datetime
    updated_at: datetime


class CartItem(EmbeddedDocument):
    """One product in a cart; a product stands in at most one line."""

    product_id = ObjectIdField(required=True)
    quantity = IntField(required=True, min_value=1, max_value=MAX_LINE_QUANTITY)
    name_at_add = StringField(required=True)
    price_at_add_minor = LongField(required=True, min_value=0)
    added_at = DateTimeField(required=True)


class ShoppingCart(Document):
    """What a user means to buy."""

    user_id = ObjectIdField(required=True)
    items = EmbeddedDocumentListField(CartItem, max_length=MAX_LINES)
    version = IntField(required=True, default=1)
    created_at = DateTimeField(required=True, default=utc_now)
    updated_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "shopping_carts",
        "auto_create_index": False,
        "index_cls": False,
        "sharding": {"_id": "hashed"},  # docs/adr/0004: grows with traffic, every path is by id
        "indexes": [{"name": "newest_of_user", "fields": ["user_id", "-id"]}],
    }
