"""Queries on sharded collections carry the shard key, or say why they may ask every shard.

That each query of the whole suite does is checked by `tests/conftest.py` (see `tests.queries`).
"""

from typing import Any, Final

import pytest
from bson import ObjectId

from carts.documents import OpenCarts, ShoppingCart
from ecommerce.core.query_shapes import BY_ID, QueryShape, query_shapes
from ecommerce.core.sharding import sharded_documents
from tests import queries
from tests.operations import Operation
from tests.queries import ROOT, Query, Table

ADR: Final = ROOT / "docs" / "adr" / "0004-shard-keys.md"
ID: Final = ObjectId()
SHARDED: Final = [d for d in query_shapes() if d.shard_key]
BROADCASTS: Final = [shape for shape in SHARDED if shape.broadcast]
TABLE: Final = Table(query_shapes())


def fault(kind: str, where: dict[str, Any], collection: str = "shopping_carts") -> str:
    return TABLE.fault_of(Operation(collection, kind, where))


def test_every_sharded_collection_is_watched() -> None:
    assert {shape.document for shape in SHARDED} == set(sharded_documents())


@pytest.mark.parametrize("shape", SHARDED, ids=lambda shape: shape.purpose)
def test_every_row_has_its_index_and_its_shard_key_or_a_reason(shape: QueryShape) -> None:
    assert TABLE.fault_of_row(shape) == ""


def test_only_rare_queries_on_carts_ask_every_shard_and_the_adr_lists_them() -> None:
    assert {shape.collection for shape in BROADCASTS} == {"shopping_carts"}
    rows = [f"| {s.collection} | {s.purpose} | {s.broadcast} |" for s in BROADCASTS]
    table = "\n".join(["| --- | --- | --- |", *rows])
    assert f"{table}\n\n" in ADR.read_text(encoding="utf-8"), f"{ADR.name} must have\n\n{table}"


@pytest.mark.parametrize("collection", ["shopping_carts", "open_carts", "idempotency_records"])
@pytest.mark.parametrize("kind", ["find", "findAndModify", "update", "delete", "aggregate"])
def test_a_query_with_the_shard_key_is_right_whatever_else_it_compares(
    collection: str, kind: str
) -> None:
    assert fault(kind, {"_id": ID, "anything": {"$gt": 1}}, collection) == ""
    assert fault(kind, {"$and": [{"_id": {"$in": [ID]}}, {"x": 1}]}, collection) == ""


@pytest.mark.parametrize(
    "where",
    [
        {}, {"token_hash": "x"}, {"user_id": ID, "items.sku": "S"}, {"_id": {"$ne": ID}, "x": 1},
        {"$or": [{"_id": ID}, {"token_hash": "x"}]}, {"$nor": [{"_id": ID}], "x": 1},
    ],
)  # fmt: skip
def test_one_without_it_that_no_row_is_about_is_a_fault(where: dict[str, Any]) -> None:
    if where == {}:
        assert fault("find", where, "open_carts").startswith("No row of the table")
    else:
        assert fault("find", where).startswith("No row of the table")


def test_a_change_of_one_document_carries_the_shard_key_even_where_a_read_need_not() -> None:
    assert fault("find", {"user_id": ID}) == ""
    assert fault("findAndModify", {"user_id": ID}) == (
        "shopping_carts: a change of one document has not the shard key in its filter."
    )


SOURCE: Final = """
from carts.documents import ShoppingCart
from ecommerce.core.mongo import collection
ask = lambda: collection(ShoppingCart).find_one({"token_hash": "x"})
"""


def test_such_a_query_of_the_product_is_seen_and_that_of_a_test_is_not() -> None:
    for folder, faults in (("tests", []), ("carts", ["No row of the table of query shapes is"])):
        names: dict[str, Any] = {}
        exec(compile(SOURCE, str(ROOT / folder / "made_up.py"), "exec"), names)
        names["ask"]()
        assert [fault[:38] for fault in queries.faults()] == faults


def test_a_row_without_the_key_needs_a_reason_and_one_with_it_has_none() -> None:
    without = QueryShape("made up", ShoppingCart, "newest_of_user", ("user_id",))
    superfluous = QueryShape("made up", OpenCarts, BY_ID, ("_id",), broadcast="why not")
    assert Table([without]).fault_of_row(without) == (
        "'made up' needs a reason to ask every shard."
    )
    assert Table([superfluous]).fault_of_row(superfluous) == (
        "'made up' asks one shard, and needs no reason to ask all."
    )
    assert (
        Table([without])
        .fault(Query.of(Operation("shopping_carts", "find", {"user_id": ID})))
        .endswith("'made up' needs a reason to ask every shard.")
    )
