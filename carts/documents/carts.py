"""Carts of users and of guests."""

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from bson import ObjectId
from mongoengine import (
    DateTimeField,
    Document,
    EmbeddedDocumentField,
    EmbeddedDocumentListField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
)

from carts.documents.lines import CartItem, LineRow
from carts.documents.merges import Merge, MergedSource, MergedSourceRow, MergeRow
from carts.limits import MAX_LINES, MAX_OPERATIONS
from ecommerce.core.mongo import utc_now


class CartRow(TypedDict):
    """A stored cart, as MongoDB gives it. It has a `user_id` or, a guest's, a `token_hash`."""

    _id: ObjectId
    user_id: NotRequired[ObjectId]
    token_hash: NotRequired[str]
    items: list[LineRow]
    saved_items: list[LineRow]
    operations: NotRequired[list[ObjectId]]
    merge: NotRequired[MergeRow]
    merged_into: NotRequired[ObjectId]
    merged_sources: NotRequired[list[MergedSourceRow]]
    expires_at: datetime
    version: int
    created_at: datetime
    updated_at: datetime


class ShoppingCart(Document):
    """What a user or a guest means to buy."""

    user_id = ObjectIdField()
    token_hash = StringField()
    """SHA-256 of the secret that a guest was given: who has that has the cart."""
    items = EmbeddedDocumentListField(CartItem, max_length=MAX_LINES)
    saved_items = EmbeddedDocumentListField(CartItem, max_length=MAX_LINES)
    """Lines kept for later: shown, but no part of the totals."""
    operations = ListField(ObjectIdField(), default=None, max_length=MAX_OPERATIONS)
    """Operations with an Idempotency-Key that this cart has seen: none is done twice."""
    merge = EmbeddedDocumentField(Merge)
    """The intent to merge this guest's cart into another: from then on it takes no change."""
    merged_into = ObjectIdField()
    """Set when that is done."""
    merged_sources = EmbeddedDocumentListField(MergedSource, default=None)
    """Guests' carts whose lines this user's cart has taken over, the newest ones."""
    expires_at = DateTimeField(required=True)
    """Moved by every write. Every filter asks for it: TTL deletion runs up to a minute late."""
    version = IntField(required=True, default=1)
    created_at = DateTimeField(required=True, default=utc_now)
    updated_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "shopping_carts",
        "auto_create_index": False,
        "index_cls": False,
        "sharding": {"_id": "hashed"},  # docs/adr/0004: grows with traffic, every path is by id
        "indexes": [
            {"name": "newest_of_user", "fields": ["user_id", "-id"]},
            {"name": "carts_with_product", "fields": ["items.product_id", "-id"]},
            {"name": "cart_expiry", "fields": ["expires_at"], "expireAfterSeconds": 0},
        ],
    }
