"""Every way in which the catalog asks its collections; docs/catalog-queries.md shows the same rows.

A query that is in no row fails the test that sends it: give it a row here and, if none fits, an
index beside its document.
"""

from itertools import product as combinations
from typing import Final

from catalog.documents import (
    Category,
    CategoryTree,
    ImportChunk,
    ImportJob,
    ImportResult,
    Product,
    StockMovement,
)
from catalog.documents.products import BY_NAME, BY_PRICE, NEWEST
from ecommerce.core.pagination import Ordering
from ecommerce.core.query_shapes import ANYTHING, BY_ID, QueryShape

_ONE: Final = "at most one document has the value"
_ONE_ARRAY: Final = (
    "an index holds one array, and one value of it is looked up; the rest is compared in what that "
    "finds"
)
_ORDERS: Final[tuple[tuple[str, Ordering, tuple[str, ...]], ...]] = (
    ("newest", NEWEST, ("in_stock", "price_minor")),
    ("price", BY_PRICE, ("in_stock",)),
    ("name", BY_NAME, ("in_stock", "price_minor")),
)
_WAYS: Final[tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...]] = (
    ("all", "list products", (), ()),
    ("keys", "list those with a word, brand or tag", ("keys",), ("keys", "category_path")),
    ("category", "list those of a category", ("category_path",), ("keys",)),
)

_LISTS: Final = tuple(
    QueryShape(
        purpose=f"{purpose}, by {order}",
        document=Product,
        index=f"{way}_by_{order}",
        equal=("status", *equal),
        sort=sort,
        ranges=ranges,
        further=further,
        reason=_ONE_ARRAY if further else "",
    )
    for (way, purpose, equal, further), (order, sort, ranges) in combinations(_WAYS, _ORDERS)
)

QUERY_SHAPES: Final = (
    *_LISTS,
    QueryShape(
        "read, change or remove products by id", Product, BY_ID, ("_id",),
        further=ANYTHING, reason=_ONE,
    ),
    QueryShape(
        "find products by sku", Product, "skus_unique", ("skus",), further=ANYTHING, reason=_ONE
    ),
    QueryShape(
        "find products by slug", Product, "slug_unique", ("slug",), further=ANYTHING, reason=_ONE
    ),
    QueryShape(
        "move the products of a category", Product, "of_category", ("category",),
        ranges=("tree_version",), further=("category_path",),
        reason="a step that is repeated finds all of them moved",
    ),
    QueryShape(
        "whether a category has products", Product, "of_category", ("category",),
        further=("status",), reason="the first that is not deleted is the answer",
    ),
    QueryShape(
        "purge what was deleted before", Product, "deleted", sort=(("deleted_at", 1), ("_id", 1)),
        further=("status",), reason="whoever brings a product back may leave the date",
    ),
    QueryShape(
        "whether the catalog is empty", Product, "", reason="the first document is the answer"
    ),
    QueryShape(
        "read or change categories by id", Category, BY_ID, ("_id",), further=ANYTHING, reason=_ONE
    ),
    QueryShape(
        "read or change categories by slug", Category, "category_slug_unique", ("slug",),
        further=ANYTHING, reason=_ONE,
    ),
    QueryShape(
        "where the products of a deleted category went", Category, "", ("former_slug",),
        sort=(("tree_version", -1),),
        reason="categories are few; only a product that is written while its category goes asks",
    ),
    QueryShape(
        "list categories from the top of the tree down", Category, "path",
        sort=(("path_key", 1), ("_id", 1)),
    ),
    QueryShape(
        "list what stands right below a category", Category, "children", ("parent",),
        sort=(("position", 1), ("slug", 1), ("_id", 1)), further=("path_key",),
        reason="a deleted category has no parent either, as if it were a root",
    ),
    QueryShape(
        "everything below a category", Category, "subtree_in_order", ("path",),
        sort=(("path_key", 1), ("_id", 1)),
    ),
    QueryShape(
        "the state of the tree", CategoryTree, BY_ID, ("_id",), further=ANYTHING, reason=_ONE
    ),
    QueryShape(
        "whether a movement is filed", StockMovement, BY_ID, ("_id",), further=ANYTHING, reason=_ONE
    ),
    QueryShape(
        "the stock movements of a product", StockMovement, "newest_of_product", ("product_id",),
        sort=(("_id", -1),),
    ),
    QueryShape(
        "read or change imports by id", ImportJob, BY_ID, ("_id",), further=ANYTHING, reason=_ONE
    ),
    QueryShape("list imports", ImportJob, BY_ID, sort=(("_id", -1),)),
    QueryShape(
        "take the oldest import that is free", ImportJob, "import_jobs_open", ("state",),
        sort=(("_id", 1),), ranges=("lease_until",),
    ),
    QueryShape(
        "the imports that nobody works on", ImportJob, "import_jobs_open", ("state",),
        sort=(("_id", 1),),
    ),
    QueryShape(
        "a piece of an import's file", ImportChunk, "import_chunks_in_order", ("file_id", "number")
    ),
    QueryShape(
        "remove the file of an import", ImportChunk, "import_chunks_in_order", ("file_id",)
    ),
    QueryShape(
        "what became of the rows of an import", ImportResult, "import_results_in_order",
        ("job_id",), sort=(("number", 1), ("_id", 1)),
    ),
    QueryShape(
        "the rows of an import with one outcome", ImportResult, "import_results_by_outcome",
        ("job_id", "outcome"), sort=(("number", 1), ("_id", 1)),
    ),
    QueryShape(
        "the stock movements that a user made", StockMovement, "movements_by", ("by",),
        sort=(("_id", -1),),
    ),
    QueryShape(
        "the imports that a user started", ImportJob, "import_jobs_by", ("by",), sort=(("_id", -1),)
    ),
)  # fmt: skip
