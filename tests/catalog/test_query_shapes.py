"""Every query of the catalog stands in one table, with the index that serves it.

That each query of the whole suite does is checked by `tests/conftest.py` (see `tests.queries`).
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from bson import ObjectId

from catalog import selectors
from catalog.documents import Product
from catalog.errors import EmptyFileError
from catalog.query_shapes import QUERY_SHAPES
from catalog.selectors import ProductFilter
from catalog.services import CategoryService, ImportJobService
from ecommerce.core.document_classes import documents
from ecommerce.core.indexes import Index, declared
from ecommerce.core.pagination import Page, PageRequest
from ecommerce.core.query_shapes import BY_ID, QueryShape
from tests import queries
from tests.operations import Operation, recorded
from tests.queries import ROOT, Query, Table

DOCUMENT: Final = ROOT / "docs" / "catalog-queries.md"
HEAD: Final = ("collection", "what for", "equality", "sort", "range", "index", "beside the index")
DOCUMENTS: Final = [found for found in documents() if found.__module__.startswith("catalog.")]
TABLE: Final = Table(QUERY_SHAPES)
NO_ID: Final = ObjectId()


# --- the table -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", QUERY_SHAPES, ids=lambda shape: shape.purpose)
def test_the_index_of_a_row_has_its_fields_in_order(shape: QueryShape) -> None:
    assert TABLE.fault_of_row(shape) == ""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_index_serves_a_row_or_an_expiry(document: Any) -> None:
    used = {shape.index for shape in QUERY_SHAPES if shape.document is document}
    serving = (i.name for i in declared(document) if "expireAfterSeconds" not in i.options)
    assert set(serving) == used - {"", BY_ID}


def test_the_document_shows_the_same_table() -> None:
    rows = [HEAD, tuple("---" for _ in HEAD), *(shape.cells for shape in QUERY_SHAPES)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
    assert table in DOCUMENT.read_text(encoding="utf-8"), f"{DOCUMENT.name} must have\n\n{table}"


# --- every row is asked by the product -----------------------------------------------------------


def page(ordering: str, **chosen: Any) -> Page:
    request = PageRequest(limit=2)
    return selectors.product_page(ProductFilter(**chosen), ordering=ordering, request=request)


def delete_category() -> None:
    CategoryService.create(values={"name": "Lamps", "slug": "lamps"})
    CategoryService.create(values={"name": "Other", "slug": "other"})
    CategoryService.delete(reference="lamps", products_to="other")


def send_an_empty_file() -> None:
    with pytest.raises(EmptyFileError):
        ImportJobService.create(blocks=[], format_name="csv", dry_run=True, by=NO_ID)


LISTS: Final[dict[str, dict[str, Any]]] = {
    "list products": {"min_price": 1, "in_stock": True},
    "list those with a word, brand or tag": {
        "q": "desk lamp",
        "brands": ("B",),
        "categories": ("c",),
    },
    "list those of a category": {"categories": ("c",), "ids": (NO_ID,)},
}
CALLS: Final[dict[str, Callable[[], Any]]] = {
    **{
        f"{purpose}, by {order}": partial(page, order, **chosen)
        for purpose, chosen in LISTS.items()
        for order in ("newest", "price", "name")
    },
    "read, change or remove products by id": lambda: selectors.products_in_carts([NO_ID]),
    "find products by sku": lambda: selectors.product_with(sku="S"),
    "find products by slug": lambda: selectors.product_with(slug="s"),
    "move the products of a category": delete_category,
    "whether a category has products": lambda: selectors.has_products("c"),
    "purge what was deleted before": lambda: list(
        selectors.deleted_products(before=datetime(2026, 1, 1, tzinfo=UTC))),
    "whether the catalog is empty": selectors.is_empty,
    "read or change categories by id": lambda: selectors.category_slugs([str(NO_ID)]),
    "read or change categories by slug": lambda: selectors.category_with_slug("c"),
    "where the products of a deleted category went": lambda: selectors.category_after("c"),
    "list categories from the top of the tree down": lambda: selectors.category_page(
        PageRequest(), parent=None),
    "list what stands right below a category": lambda: selectors.category_page(
        PageRequest(), parent=""),
    "everything below a category": lambda: selectors.subtree("c"),
    "the state of the tree": delete_category,
    "whether a movement is filed": lambda: selectors.movement_is_filed(NO_ID),
    "the stock movements that a user made": lambda: list(selectors.stored_movements_by(NO_ID)),
    "the imports that a user started": lambda: list(selectors.stored_imports_by(NO_ID)),
    "the stock movements of a product": lambda: selectors.movement_page(NO_ID, PageRequest()),
    "read or change imports by id": lambda: selectors.import_with_id(NO_ID),
    "list imports": lambda: selectors.import_job_page(PageRequest()),
    "take the oldest import that is free": lambda: ImportJobService.claim(
        holder="h", free_since=datetime(2026, 1, 1, tzinfo=UTC)),
    "the imports that nobody works on": selectors.waiting_imports,
    "a piece of an import's file": lambda: selectors.import_chunk(NO_ID, 0),
    "remove the file of an import": send_an_empty_file,
    "what became of the rows of an import": lambda: selectors.import_result_page(
        NO_ID, PageRequest(), outcome=None),
    "the rows of an import with one outcome": lambda: selectors.import_result_page(
        NO_ID, PageRequest(), outcome="created"),
}  # fmt: skip


@pytest.mark.parametrize("shape", QUERY_SHAPES, ids=lambda shape: shape.purpose)
def test_the_product_asks_what_the_row_says(shape: QueryShape) -> None:
    with recorded() as seen:
        CALLS[shape.purpose]()
    assert any(shape in TABLE.rows_for(Query.of(operation)) for operation in seen)


# --- the check really fails ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "sort"),
    [
        ({"description": "x"}, ()),
        ({"status": "active", "brand": "x"}, ()),
        ({"status": "active"}, (("quantity", 1),)),
        ({"status": "active"}, (("name_key", 1), ("_id", -1))),
        ({"status": "active"}, (("_id", 1), ("name_key", 1))),
        ({"status": {"$ne": "deleted"}}, (("_id", -1),)),
        ({"$or": [{"status": "active"}, {"status": "draft"}]}, (("_id", -1),)),
        ({"$nor": [{"skus": "S"}]}, ()),
        ({"skus": {"$regex": "^S"}}, ()),
        ({"_id": {"$gt": NO_ID}}, ()),
        ({"status": "active", "quantity": {"$gt": 0}}, (("_id", -1),)),
        ({"status": "active", "category_path": "c", "quantity": 0}, (("name_key", 1), ("_id", 1))),
        ({"category": "c", "created_at": {"$lt": 0}}, ()),
        ({}, (("_id", 1),)),
    ],
)
def test_a_query_that_no_row_is_about_is_a_fault(where: Any, sort: Any) -> None:
    query = Query.of(Operation("products", "find", where, sort))
    assert TABLE.fault(query) == f"No row of the table of query shapes is about {query}."


def test_the_branches_of_an_or_alone_are_queries_of_their_own() -> None:
    def fault(sort: Any, *branches: Any) -> str:
        return TABLE.fault_of(Operation("products", "find", {"$or": list(branches)}, sort))

    served, unserved = [{"_id": NO_ID}, {"skus": {"$in": ["S"]}}], {"description": "x"}
    assert fault((), *served) == ""
    assert fault((), *served, unserved).endswith("equal (description), sort (), range ().")
    assert fault((("_id", -1),), *served).startswith("No row")


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [("price_minor", 1), ("status", 1), ("in_stock", 1)],
        [("status", 1), ("in_stock", 1), ("price_minor", 1)],
        [("status", 1), ("price_minor", 1), ("name_key", 1), ("in_stock", 1)],
        [("status", 1), ("price_minor", 1)],
    ],
    ids=["none", "sort first", "range before sort", "range too late", "without the range"],
)
def test_an_index_in_another_order_than_equality_sort_range_is_a_fault(keys: Any) -> None:
    made_up = QueryShape(
        "made up", Product, "made_up", ("status",), (("price_minor", -1),), ("in_stock",)
    )
    index = Index("products", "made_up", tuple(keys), {})
    table = Table([made_up], [index])
    operation = Operation("products", "find", {"status": "active", "in_stock": True})
    assert "equality, sort, range" in table.fault_of_row(made_up)
    assert "equality, sort, range" in table.fault(Query.of(operation))
    right = Index("products", "made_up", (("status", 1), ("price_minor", 1), ("in_stock", 1)), {})
    assert Table([made_up], [right]).fault(Query.of(operation)) == ""


@pytest.mark.parametrize("further", [(), ("quantity",)])
def test_a_scan_and_what_is_compared_beside_the_index_need_a_reason(further: Any) -> None:
    shape = QueryShape("made up", Product, BY_ID if further else "", further=further)
    assert TABLE.fault_of_row(shape) == "'made up' needs a reason."


SOURCE: Final = """
from catalog.documents import Product
from ecommerce.core.mongo import collection
ask = lambda: {call}
"""


def made_up_code(call: str, path: Path) -> Callable[[], Any]:
    """Code that seems to stand in this file, beyond the reach of the tests' own queries."""
    names: dict[str, Any] = {}
    exec(compile(SOURCE.format(call=call), str(path), "exec"), names)
    return names["ask"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "call",
    [
        'collection(Product).find_one({"description": "x"})',
        'list(collection(Product).find({"description": "x"}).sort("price_minor"))',
        'collection(Product).find_one_and_update({"description": "x"}, {"$set": {"n": 1}})',
        'collection(Product).update_many({"description": "x"}, {"$set": {"n": 1}})',
        'collection(Product).delete_many({"description": "x"})',
        'collection(Product).count_documents({"description": "x"})',
        'list(collection(Product).aggregate([{"$match": {"description": "x"}}]))',
        'collection(Product).distinct("name", {"description": "x"})',
    ],
)
def test_such_a_query_of_the_product_is_seen_and_that_of_a_test_is_not(call: str) -> None:
    made_up_code(call, ROOT / "tests" / "made_up.py")()
    assert queries.faults() == []
    made_up_code(call, ROOT / "catalog" / "made_up.py")()
    (fault,) = queries.faults()
    assert fault.startswith("No row of the table of query shapes is about products: equal (descr")


MADE_UP: Final = """
from tests.catalog.test_query_shapes import ROOT, made_up_code

def test_without_a_query() -> None:
    pass

def test_with_one() -> None:
    made_up_code('collection(Product).find_one({"description": "x"})', ROOT / "catalog" / "x.py")()
"""


def test_a_run_with_such_a_query_fails_in_a_process_of_its_own_too(tmp_path: Path) -> None:
    file = tmp_path / "test_made_up.py"
    file.write_text(MADE_UP, encoding="utf-8")
    environment = {n: v for n, v in os.environ.items() if n not in {"MONGODB_URI", "REDIS_URL"}}
    (tmp_path / "conftest.py").write_text(
        "from tests import conftest\n"
        "globals().update({n: v for n, v in vars(conftest).items() if n[:2] != '__'})\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-n", "1", str(file)]
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)]
    run = subprocess.run(
        [*command, *options], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "2 passed, 1 error" in run.stdout
    assert "is about products: equal (description)" in run.stdout


@pytest.fixture(autouse=True)
def _nothing_is_left(_every_query_has_its_index: None) -> Iterator[None]:
    """What a test here made up is its own affair."""
    yield
    queries.faults()
