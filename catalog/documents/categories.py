"""Categories: a tree whose structure changes one step at a time."""

from datetime import datetime
from typing import Any, Final, NotRequired, TypedDict

from bson import ObjectId
from mongoengine import DateTimeField, DictField, Document, IntField, ListField, StringField

from ecommerce.core.mongo import utc_now

TREE_ID: Final = "tree"


class CategoryRow(TypedDict):
    """A stored category, as MongoDB gives it. A root has no `parent`."""

    _id: ObjectId
    slug: str
    former_slug: NotRequired[str]
    products_to: NotRequired[str]
    name: str
    parent: NotRequired[str]
    path: list[str]
    path_key: str
    position: int
    tree_version: int
    version: int
    created_at: datetime
    updated_at: datetime


class Category(Document):
    """A place in the catalog. Its slug never changes: products and other categories name it."""

    slug = StringField()
    former_slug = StringField()
    """What a deleted one was called; it has no slug and no path any more."""
    products_to = StringField()
    """The slug of the category that the products of a deleted one went to."""
    name = StringField(required=True, max_length=200)
    parent = StringField()
    path = ListField(StringField(), default=None)
    """Slugs from the root down to this one."""
    path_key = StringField()
    """The same as text, which sorts a tree from top to bottom."""
    position = IntField(required=True, default=0)
    tree_version = IntField(required=True)
    """The version of the tree that wrote this: an older step that comes late changes nothing."""
    version = IntField(required=True, default=1)
    created_at = DateTimeField(required=True, default=utc_now)
    updated_at = DateTimeField(required=True, default=utc_now)

    meta: dict[str, Any] = {
        "collection": "categories",
        "auto_create_index": False,
        "index_cls": False,
        "indexes": [
            {"name": "category_slug_unique", "fields": ["slug"], "unique": True, "sparse": True},
            {"name": "path", "fields": ["path_key", "id"]},
            {"name": "children", "fields": ["parent", "position", "slug", "id"]},
            {"name": "subtree_in_order", "fields": ["path", "path_key", "id"]},
        ],
    }


class CategoryTreeRow(TypedDict):
    """The stored state of the tree, as MongoDB gives it."""

    _id: str
    version: int
    intent: dict[str, Any] | None


class CategoryTree(Document):
    """One document that every change of the tree goes through, so that no two run at once.

    `intent` is a change that was decided and may not be carried out in full; whoever comes next
    finishes it.
    """

    id = StringField(primary_key=True, default=TREE_ID)
    version = IntField(required=True, default=0)
    intent = DictField(null=True)

    meta: dict[str, Any] = {
        "collection": "category_tree",
        "auto_create_index": False,
        "index_cls": False,
    }
