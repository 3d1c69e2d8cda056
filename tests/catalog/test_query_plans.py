"""How MongoDB carries out the list calls: at 100,000 products none reads more than it needs.

The servers that run elsewhere have no `explain` and scan; there, only the questions are checked.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pymongo
import pytest
from mongoengine.connection import get_db
from pymongo.errors import OperationFailure

from catalog.documents import Product
from catalog.query_shapes import QUERY_SHAPES
from demo.seeding import seed_products
from ecommerce.core import mongo
from ecommerce.core.indexes import ensure_indexes
from tests.client import ApiClient
from tests.operations import Operation, recorded
from tests.queries import Query, Table

PRODUCTS: Final = 100_000
LIMIT: Final = 100
"""Rows of a page. A page may also examine, once, those before it that share the price or the name
at which it begins; with these products that is at most 80."""
BUDGET: Final = 1_200
"""Seconds for all of it; an operation of the product itself has two."""
ORDERINGS: Final = ("newest", "price", "-price", "name")
FILTERS: Final = {
    "nothing": "",
    "category": "category=kitchen",
    "category with descendants": "category=home",
    "brand": "brand=Eastlight",
    "two brands": "brand=Eastlight&brand=Fennick",
    "tag": "tag=gift",
    "in stock": "in_stock=true",
    "price": "min_price=50&max_price=150",
    "word": "q=walnut",
    "beginning of a word": "q=wal",
}
PAGES: Final = (
    *((name, ordering, number) for name in FILTERS for ordering in ORDERINGS for number in (1, 5)),
    *((name, "relevance", n) for name in ("word", "beginning of a word") for n in (1, 5)),
    *(("nothing", ordering, 500) for ordering in ORDERINGS),
)
"""Filter, ordering, and which page. Two words, or a word and a category, are not among them: see
the last column of docs/catalog-queries.md."""


@pytest.fixture(autouse=True)
def _every_call_asks_the_database(settings: Any) -> None:
    """The last of a few pages was fetched on the way to it, and would be a kept answer."""
    settings.RESPONSE_CACHE = "off"


def address(filters: str, ordering: str, number: int, *, limit: int) -> str:
    """Where that page is, or the last one if there are fewer."""
    path = f"/products/?limit={limit}&ordering={ordering}&fields=id&{filters}".rstrip("&")
    for _ in range(number - 1):
        following = ApiClient().get(path)["next"]
        if following is None:
            break
        path = following
    return path


def finds(path: str) -> list[Operation]:
    """What the call asks of the products."""
    with recorded() as seen:
        assert ApiClient().get(path).status == 200
    return [operation for operation in seen if operation.collection == "products"]


def question(find: Operation) -> dict[str, Any]:
    """The command that has MongoDB carry the query out and tell how."""
    asked = {
        "find": find.collection,
        "filter": dict(find.filter),
        "sort": dict(find.sort),
        "limit": find.limit,
    }
    return {"explain": asked, "verbosity": "executionStats"}


def fault(plan: Mapping[str, Any]) -> str:
    """Nothing, if no more was examined than twice what was returned."""
    stats = plan["executionStats"]
    examined, returned = stats["totalDocsExamined"], stats["nReturned"]
    return "" if examined <= 2 * returned else f"{examined} examined, {returned} returned"


@pytest.fixture
def many_products() -> Iterator[None]:
    """100,000 products on a server that explains itself.

    `EXPLAIN=required`, as in GitHub Actions, makes it a failure if there is none.
    """
    if not can_explain():
        reason = "MONGODB_URI names no server that has explain: real MongoDB does"
        (pytest.fail if os.environ.get("EXPLAIN") == "required" else pytest.skip)(reason)
    with pymongo.timeout(BUDGET):
        seed_products(PRODUCTS, seed=1)
        yield
        mongo.collection(Product).drop()
        ensure_indexes()


def can_explain() -> bool:
    if mongo.uses_embedded_store():
        return False
    try:
        get_db().command({"explain": {"find": "products"}, "verbosity": "queryPlanner"})
    except OperationFailure:
        return False
    return True


@pytest.mark.explain
@pytest.mark.timeout(BUDGET + 60)
def test_no_list_call_examines_more_than_twice_what_it_returns(many_products: None) -> None:
    faults = {
        (name, ordering, number, position): found
        for name, ordering, number in PAGES
        for position, find in enumerate(
            finds(address(FILTERS[name], ordering, number, limit=LIMIT))
        )
        if (found := fault(get_db().command(question(find))))
    }
    assert faults == {}


@pytest.mark.parametrize(
    ("name", "ordering", "number"), PAGES, ids=lambda value: str(value).replace(" ", "-")
)
def test_each_of_those_calls_asks_what_the_table_knows(
    name: str, ordering: str, number: int
) -> None:
    seed_products(40, seed=1)
    asked = finds(address(FILTERS[name], ordering, min(number, 3), limit=2))
    tiers = 3 if ordering == "relevance" else 1
    assert 1 <= len(asked) <= tiers
    for find in asked:
        command = question(find)["explain"]
        assert command["find"] == "products"
        assert list(command["sort"])[-1] == "_id"
        assert mongo.uses_embedded_store() or 0 < command["limit"] <= 3
        assert Table(QUERY_SHAPES).rows_for(Query.of(find)) != []


def test_a_page_that_examines_more_is_a_fault() -> None:
    def plan(examined: int, returned: int) -> dict[str, Any]:
        return {"executionStats": {"totalDocsExamined": examined, "nReturned": returned}}

    assert fault(plan(202, 101)) == fault(plan(0, 0)) == ""
    assert fault(plan(203, 101)) == "203 examined, 101 returned"
    assert fault(plan(1, 0)) == "1 examined, 0 returned"
