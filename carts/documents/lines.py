"""The lines of carts."""

from datetime import datetime
from typing import NotRequired, TypedDict

from bson import ObjectId
from mongoengine import (
    DateTimeField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    IntField,
    LongField,
    ObjectIdField,
    StringField,
)

from carts.limits import MAX_ATTRIBUTES, MAX_LINE_QUANTITY, MAX_NOTE


class LineAttributeRow(TypedDict):
    """A stored attribute of a line. A pair: no name from outside is ever a field of ours."""

    name: str
    value: str


class LineRow(TypedDict):
    """A stored line. Name and price are those of the moment it was added."""

    key: str
    product_id: ObjectId
    sku: NotRequired[str]
    quantity: int
    note: NotRequired[str]
    attributes: NotRequired[list[LineAttributeRow]]
    name_at_add: str
    price_at_add_minor: int
    added_at: datetime


class LineAttribute(EmbeddedDocument):
    """What a shopper says of a line beside the note: engraving, wrapping."""

    name = StringField(required=True)
    value = StringField(required=True)


class CartItem(EmbeddedDocument):
    """One product in a cart, or one variant of it; each stands in at most one line."""

    key = StringField(required=True)
    """The product's id, and for a variant ":" and its sku: what updates find the line by."""
    product_id = ObjectIdField(required=True)
    sku = StringField()
    """Of the variant. A product without variants has none here."""
    quantity = IntField(required=True, min_value=1, max_value=MAX_LINE_QUANTITY)
    note = StringField(max_length=MAX_NOTE)
    attributes = EmbeddedDocumentListField(LineAttribute, max_length=MAX_ATTRIBUTES, default=None)
    name_at_add = StringField(required=True)
    price_at_add_minor = LongField(required=True, min_value=0)
    added_at = DateTimeField(required=True)


def line_key(product_id: ObjectId, sku: str | None) -> str:
    """What tells the lines of a cart apart."""
    return str(product_id) if sku is None else f"{product_id}:{sku}"
