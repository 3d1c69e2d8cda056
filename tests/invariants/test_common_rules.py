"""What every stored document is held to by its declaration; no document or rule goes untried."""

from datetime import timedelta
from typing import Any, Final

import pytest
from bson import ObjectId
from mongoengine import Document

from accounts.documents import ApiKey, AuditEvent, MailToken, RefreshFamily, User
from carts.documents import OpenCarts, ShoppingCart
from catalog.documents import (
    Category,
    CategoryTree,
    ImportChunk,
    ImportJob,
    ImportResult,
    Product,
    StockMovement,
)
from ecommerce.core.document_classes import documents
from ecommerce.core.documents import DataMigrationRecord, IdempotencyRecord
from ecommerce.core.indexes import declared, ensure_indexes
from ecommerce.core.invariants import Checked, registered
from ecommerce.core.mongo import collection, utc_now
from tests.invariants import test_account_rules, test_cart_rules, test_catalog_rules
from tests.invariants.shop import (
    Breakage,
    Shop,
    broken,
    check,
    drop,
    everything,
    first,
    put,
    stored,
    verify,
)


def record(shop: Shop) -> dict[str, Any]:
    return stored(IdempotencyRecord, shop.record) or {}


RECORDS: Final = [
    Breakage(
        "idempotency_records.digests",
        "a request as it is",
        lambda shop: put(IdempotencyRecord, shop.record, fingerprint="POST /token"),
    ),
    Breakage(
        "idempotency_records.answer",
        "no body",
        lambda shop: drop(IdempotencyRecord, shop.record, "body"),
        lambda shop: record(shop)["state"] == "claimed" and "status" not in record(shop),
    ),
    Breakage(
        "idempotency_records.lease",
        "for a day",
        lambda shop: put(IdempotencyRecord, shop.record, lease_until=utc_now() + timedelta(days=1)),
        lambda shop: record(shop)["lease_until"] <= utc_now(),
    ),
]
LIMITS: Final[dict[type[Document], dict[str, Any]]] = {
    User: {"role": "owner"},
    RefreshFamily: {"address": "1" * 46},
    MailToken: {"purpose": "greeting"},
    ApiKey: {"name": "x" * 101},
    AuditEvent: {"target": "x" * 201},
    Product: {"quantity": -1},
    Category: {"name": "x" * 201},
    StockMovement: {"reason": "x" * 201},
    ImportJob: {"state": "lost"},
    ImportChunk: {"data": b"x" * (256 * 1024 + 1)},
    ImportResult: {"outcome": "lost"},
    ShoppingCart: {"items__0__quantity": 1000},
    OpenCarts: {"carts": [{"cart_id": ObjectId(), "at": utc_now()}] * 21},
    IdempotencyRecord: {"state": "lost"},
    DataMigrationRecord: {"state": "lost"},
}
"""A value beyond a limit, for each document that declares one."""


def one_row(checked: Checked, shop: Shop) -> Any:
    """The id of a row on whose values no rule of another row depends."""
    chosen = {"products": shop.lamp, "shopping_carts": shop.cart, "users": shop.alice}
    return chosen.get(checked.collection) or first(checked.document)["_id"]


# --- nothing goes untried -----------------------------------------------------------------------


def test_every_stored_document_is_checked() -> None:
    assert {checked.document for checked in registered()} == set(documents()), (
        "Name the document in its app's invariants.py: what must hold of it?"
    )


def test_every_rule_of_an_app_is_broken_by_a_test() -> None:
    modules = (test_account_rules, test_cart_rules, test_catalog_rules)
    tried = {one.rule for module in modules for one in module.BREAKAGES}
    tried |= {one.rule for one in RECORDS}
    own = {checked.full_name(rule) for checked in registered() for rule in checked.own}
    assert tried == own


def test_a_repair_is_tried_where_there_is_one() -> None:
    modules = (test_account_rules, test_cart_rules, test_catalog_rules)
    tried = [*RECORDS, *(one for module in modules for one in module.BREAKAGES)]
    mended = {one.rule for one in tried if one.mended is not None}
    rules = [(checked, rule) for checked in registered() for rule in checked.own]
    assert mended == {checked.full_name(rule) for checked, rule in rules if rule.repair}


def test_every_document_with_limits_is_tried() -> None:
    limited = {
        checked.document
        for checked in registered()
        if any(rule.name == "limits" for rule in checked.others)
    }
    assert set(LIMITS) == limited
    assert CategoryTree not in limited


# --- what the declarations say ------------------------------------------------------------------


@pytest.mark.parametrize("checked", registered(), ids=lambda one: one.collection)
def test_a_field_that_is_missing_mistyped_or_unknown_is_reported(
    checked: Checked, shop: Shop
) -> None:
    row_id, name = one_row(checked, shop), f"{checked.collection}.shape"
    asked = ("--only", name)
    put(checked.document, row_id, surprise=1)
    assert broken(*asked) == {name: [str(row_id)]}
    drop(checked.document, row_id, "surprise")
    assert broken(*asked) == {}
    field = next(
        one.db_field
        for one in checked.document._fields.values()
        if (one.required or one.null) and one.db_field not in checked.may_lack | {"_id", "version"}
    )
    put(checked.document, row_id, **{field: 1.5})
    assert broken(*asked) == {name: [str(row_id)]}
    drop(checked.document, row_id, field)
    assert broken(*asked) == {name: [str(row_id)]}


@pytest.mark.parametrize("document", LIMITS, ids=lambda one: one.__name__)
def test_a_value_beyond_a_limit_is_reported(document: type[Document], shop: Shop) -> None:
    checked = next(one for one in registered() if one.document is document)
    row_id, name = one_row(checked, shop), f"{checked.collection}.limits"
    put(document, row_id, **LIMITS[document])
    assert broken("--only", name) == {name: [str(row_id)]}


@pytest.mark.parametrize(
    "checked",
    [one for one in registered() if "version" in one.document._fields],
    ids=lambda one: one.collection,
)
@pytest.mark.parametrize("version", [-1, 1.5, "2", True, None])
def test_a_version_that_is_no_positive_integer_is_mended(
    checked: Checked, version: Any, shop: Shop
) -> None:
    row_id, name = one_row(checked, shop), f"{checked.collection}.version"
    asked = ("--only", name)
    put(checked.document, row_id, version=version)
    assert broken(*asked) == {name: [str(row_id)]}
    assert broken(*asked, "--repair", "--yes") == {name: [str(row_id)]}
    first_version = 0 if checked.document is CategoryTree else 1
    assert (stored(checked.document, row_id) or {})["version"] == first_version


UNIQUE: Final = [
    (checked, index)
    for checked in registered()
    for index in declared(checked.document)
    if index.options.get("unique")
]


@pytest.mark.parametrize(("checked", "index"), UNIQUE, ids=lambda one: getattr(one, "name", ""))
def test_two_of_one_key_are_both_reported_where_the_index_is_missing(
    checked: Checked, index: Any, shop: Shop
) -> None:
    rows, name = collection(checked.document), f"{checked.collection}.{index.name}"
    rows.drop_index(index.name)
    try:
        row = stored(checked.document, one_row(checked, shop)) or {}
        twin = {field: row[field] for field in row if field != "_id"}
        for other in (one for _, one in UNIQUE if one.name != index.name):
            if other.collection == checked.collection:
                field = other.keys[0][0]
                value = twin.pop(field, None)
                twin |= {field: f"{value}-2"} if isinstance(value, str) else {}
        twin_id = rows.insert_one(twin).inserted_id
        found = broken("--only", name)
        assert set(found[name]) == {str(row["_id"]), str(twin_id)}
        before = everything()
        assert broken("--only", name, "--repair", "--yes") == found
        assert everything() == before
    finally:
        rows.delete_many({})
        ensure_indexes([checked.document])


# --- records of POSTs ---------------------------------------------------------------------------


@pytest.mark.parametrize("breakage", RECORDS, ids=str)
def test_what_breaks_a_rule_is_reported_by_it_and_mended_where_that_is_safe(
    breakage: Breakage, shop: Shop
) -> None:
    check(breakage, shop)


def test_a_row_of_the_wrong_shape_is_asked_nothing_else(shop: Shop) -> None:
    put(ShoppingCart, shop.cart, items="none")
    code, collections = verify("--only", "shopping_carts")
    assert code == 1
    assert [tally["rule"] for tally in collections[0]["broken"]] == ["shopping_carts.shape"]
    assert collections[0]["broken"][0]["examples"] == [
        {"id": str(shop.cart), "fault": "items: not of type list"}
    ]
