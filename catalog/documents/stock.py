"""What changed a product's stock, and why."""

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from bson import ObjectId
from mongoengine import DateTimeField, Document, LongField, ObjectIdField, StringField

from ecommerce.core.mongo import utc_now


class StockMovementRow(TypedDict):
    """A stored movement, as MongoDB gives it."""

    _id: ObjectId
    product_id: ObjectId
    sku: NotRequired[str]
    delta: int
    reason: str
    by: ObjectId
    created_at: datetime


class StockMovement(Document):
    """One change of stock. Its id is chosen before the change."""

    product_id = ObjectIdField(required=True)
    sku = StringField()
    delta = LongField(required=True)
    reason = StringField(required=True, max_length=200)
    by = ObjectIdField(required=True)
    created_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "stock_movements",
        "auto_create_index": False,
        "index_cls": False,
        "indexes": [
            {"name": "newest_of_product", "fields": ["product_id", "-id"]},
            {"name": "movements_by", "fields": ["by", "-id"]},
        ],
    }
