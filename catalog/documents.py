"""What is stored about products. Rules live in services; this is fields and indexes only."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NotRequired, TypedDict

from bson import ObjectId
from mongoengine import (
    DateTimeField,
    Document,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    IntField,
    ListField,
    LongField,
    StringField,
)

from ecommerce.core.mongo import utc_now


class ProductStatus(StrEnum):
    """Where a product is in its life. Customers see active ones only."""

    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"
    """Gone for everybody; kept so that carts can still name the line."""


class ImageRow(TypedDict):
    """A stored picture of a product."""

    url: str
    alt: str


class ProductRow(TypedDict):
    """A stored product, as MongoDB gives it. Absent optional fields are not stored at all."""

    _id: ObjectId
    name: str
    description: str
    price_minor: int
    currency: str
    quantity: int
    sku: NotRequired[str]
    slug: NotRequired[str]
    brand: NotRequired[str]
    category: NotRequired[str]
    tags: list[str]
    images: list[ImageRow]
    status: str
    former_sku: NotRequired[str]
    former_slug: NotRequired[str]
    version: int
    created_at: datetime
    updated_at: datetime


class Image(EmbeddedDocument):
    """A picture of a product."""

    url = StringField(required=True)
    alt = StringField(default="")


class Product(Document):
    """Something the shop sells. `price_minor` is in minor units of `currency`."""

    name = StringField(required=True, max_length=200)
    description = StringField(default="")
    price_minor = LongField(required=True, min_value=0)
    currency = StringField(required=True, min_length=3, max_length=3)
    quantity = LongField(required=True, min_value=0)
    sku = StringField()
    slug = StringField()
    brand = StringField()
    category = StringField()
    tags = ListField(StringField())
    images = EmbeddedDocumentListField(Image)
    status = StringField(required=True, choices=[str(status) for status in ProductStatus])
    former_sku = StringField()
    former_slug = StringField()
    version = IntField(required=True, default=1)
    created_at = DateTimeField(required=True, default=utc_now)
    updated_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "products",
        "auto_create_index": False,
        "index_cls": False,
        "indexes": [
            # Sparse: a product without sku or slug does not store the field and takes no part. (The
            # wire-protocol server of the tests knows sparse unique indexes, but not partial ones.)
            # A deleted product gives its sku and slug free: they move to `former_*`.
            {"name": "sku_unique", "fields": ["sku"], "unique": True, "sparse": True},
            {"name": "slug_unique", "fields": ["slug"], "unique": True, "sparse": True},
            {"name": "newest_by_status", "fields": ["status", "-id"]},
        ],
    }
