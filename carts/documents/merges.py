"""What carts remember of a merge: the source its intent, the target whose lines it took."""

from datetime import datetime
from typing import NotRequired, TypedDict

from bson import ObjectId
from mongoengine import (
    DateTimeField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    IntField,
    ObjectIdField,
    StringField,
)


class AdjustmentRow(TypedDict):
    """A line that a merge could not take over as it was asked to."""

    code: str
    product_id: ObjectId
    sku: NotRequired[str]
    asked: int
    got: int
    saved: int


class MergeRow(TypedDict):
    """A stored intent to merge a cart into another; `adjustments` once that is done."""

    operation: ObjectId
    into: ObjectId
    mode: str
    by: ObjectId
    at: datetime
    adjustments: NotRequired[list[AdjustmentRow]]


class MergedSourceRow(TypedDict):
    """A stored note that the lines of a source are in."""

    source: ObjectId
    adjustments: list[AdjustmentRow]


class Adjustment(EmbeddedDocument):
    """Why a line got less than was asked, and how many of it were saved for later instead.

    What was neither got nor saved was left out: `asked - got - saved` pieces.
    """

    code = StringField(required=True)
    product_id = ObjectIdField(required=True)
    sku = StringField()
    asked = IntField(required=True, min_value=1)
    """Of an item that both carts have, as the mode says. Otherwise the guest's pieces alone."""
    got = IntField(required=True, min_value=0)
    saved = IntField(required=True, min_value=0)


class Merge(EmbeddedDocument):
    """Of a source: it is frozen from the moment this is recorded."""

    operation = ObjectIdField(required=True)
    """Which intent this is: only the same one is ever undone."""
    into = ObjectIdField(required=True)
    mode = StringField(required=True)
    by = ObjectIdField(required=True)
    at = DateTimeField(required=True)
    adjustments = EmbeddedDocumentListField(Adjustment, default=None)


class MergedSource(EmbeddedDocument):
    """Of a target: written together with the lines, so that they are taken over once."""

    source = ObjectIdField(required=True)
    adjustments = EmbeddedDocumentListField(Adjustment)
