"""Products, and the indexes that their lists are read by."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from itertools import product as combinations
from typing import Any, Final, NotRequired, TypedDict

from bson import ObjectId
from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    Document,
    DynamicField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    IntField,
    ListField,
    LongField,
    ObjectIdField,
    StringField,
)

from catalog.documents.stock import StockMovementRow
from ecommerce.core.mongo import utc_now
from ecommerce.core.pagination import Ordering


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


class AttributeRow(TypedDict):
    """A stored attribute of a product."""

    key: str
    value: str | int | float | bool


class VariantOptionRow(TypedDict):
    """A stored option of a variant."""

    name: str
    value: str


class VariantRow(TypedDict):
    """A stored variant of a product."""

    sku: str
    options: list[VariantOptionRow]
    price_minor: NotRequired[int]
    compare_at_price_minor: NotRequired[int]
    quantity: int


class ProductRow(TypedDict):
    """A stored product, as MongoDB gives it. Absent optional fields are not stored at all."""

    _id: ObjectId
    name: str
    description: str
    price_minor: int
    compare_at_price_minor: NotRequired[int]
    currency: str
    quantity: int
    in_stock: bool
    sku: NotRequired[str]
    slug: NotRequired[str]
    brand: NotRequired[str]
    category: NotRequired[str]
    category_path: NotRequired[list[str]]
    tree_version: NotRequired[int]
    tags: list[str]
    images: list[ImageRow]
    attributes: NotRequired[list[AttributeRow]]
    variants: NotRequired[list[VariantRow]]
    related_ids: NotRequired[list[ObjectId]]
    status: str
    name_key: str
    keys: list[str]
    skus: NotRequired[list[str]]
    former_sku: NotRequired[str]
    former_slug: NotRequired[str]
    former_skus: NotRequired[list[str]]
    unfiled_movements: NotRequired[list[StockMovementRow]]
    stock_fences: NotRequired[list[ObjectId]]
    deleted_at: NotRequired[datetime]
    version: int
    created_at: datetime
    updated_at: datetime


class Image(EmbeddedDocument):
    """A picture of a product."""

    url = StringField(required=True)
    alt = StringField(default="")


class Attribute(EmbeddedDocument):
    """A typed fact about a product: material, weight in grams, washable."""

    key = StringField(required=True)
    value = DynamicField(required=True)


class VariantOption(EmbeddedDocument):
    """What makes a variant differ: size M."""

    name = StringField(required=True)
    value = StringField(required=True)


class Variant(EmbeddedDocument):
    """A product in one size or colour. Without a price of its own it has the product's."""

    sku = StringField(required=True)
    options = EmbeddedDocumentListField(VariantOption)
    price_minor = LongField(min_value=0)
    compare_at_price_minor = LongField(min_value=0)
    quantity = LongField(required=True, min_value=0)


NEWEST: Final[Ordering] = (("_id", -1),)
BY_PRICE: Final[Ordering] = (("price_minor", 1), ("_id", 1))
BY_NAME: Final[Ordering] = (("name_key", 1), ("_id", 1))
_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "all": (),
    "keys": ("keys",),
    "category": ("category_path",),
}
_ORDERS: Final[Mapping[str, Ordering]] = {"newest": NEWEST, "price": BY_PRICE, "name": BY_NAME}
_FILTERED: Final = ("in_stock", "price_minor")
"""What else lists filter by: in the index, so that only rows of the answer are fetched."""


def _list_indexes() -> list[dict[str, Any]]:
    """An index for each way into the list and each order: equality, sort, then what is filtered.

    Price and name are also walked from the end. Only one field of an index may be an array, so
    words, brands and tags share `keys`, and categories have indexes of their own.
    """
    made = []
    for (way, equal), (order, fields) in combinations(_LISTS.items(), _ORDERS.items()):
        signed = [f"{'-' if sign < 0 else ''}{_field(name)}" for name, sign in fields]
        rest = [name for name in _FILTERED if name not in signed]
        made.append({"name": f"{way}_by_{order}", "fields": ["status", *equal, *signed, *rest]})
    return made


def _field(stored: str) -> str:
    return "id" if stored == "_id" else stored


class Product(Document):
    """Something the shop sells. `price_minor` is in minor units of `currency`.

    `name_key`, `keys`, `skus` and `in_stock` follow from the other fields (see
    `catalog.services.derived`), and `category_path` from the category.
    """

    name = StringField(required=True, max_length=200)
    description = StringField(default="")
    price_minor = LongField(required=True, min_value=0)
    compare_at_price_minor = LongField(min_value=0)
    currency = StringField(required=True, min_length=3, max_length=3)
    quantity = LongField(required=True, min_value=0)
    in_stock = BooleanField(required=True)
    sku = StringField()
    slug = StringField()
    brand = StringField()
    category = StringField()
    category_path = ListField(StringField(), default=None)
    tree_version = IntField()
    tags = ListField(StringField())
    images = EmbeddedDocumentListField(Image)
    attributes = EmbeddedDocumentListField(Attribute, default=None)
    variants = EmbeddedDocumentListField(Variant, default=None)
    related_ids = ListField(ObjectIdField(), default=None)
    status = StringField(required=True, choices=[str(status) for status in ProductStatus])
    name_key = StringField(required=True)
    keys = ListField(StringField())
    skus = ListField(StringField(), default=None)
    former_sku = StringField()
    former_slug = StringField()
    former_skus = ListField(StringField(), default=None)
    unfiled_movements = ListField(DictField(), default=None)
    """Stock movements on their way to their own collection (see `catalog.services.stock`)."""
    stock_fences = ListField(ObjectIdField(), default=None)
    """Retried operations that moved stock: their first try, if it comes late, does nothing."""
    deleted_at = DateTimeField()
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
            # A deleted product gives its skus and its slug free: they move to `former_*`.
            {"name": "skus_unique", "fields": ["skus"], "unique": True, "sparse": True},
            {"name": "slug_unique", "fields": ["slug"], "unique": True, "sparse": True},
            {"name": "of_category", "fields": ["category", "tree_version"]},
            {"name": "deleted", "fields": ["deleted_at", "id"], "sparse": True},
            *_list_indexes(),
        ],
    }
