"""POST /products/bulk: rows that are refused, alone or because of each other."""

from collections.abc import Callable
from typing import Any

import pytest

from catalog.documents import ProductRow
from catalog.services import ProductService
from tests.catalog.bulk_requests import (
    ALL_OR_NOTHING,
    Make,
    create,
    delete,
    faults,
    outcomes,
    send,
    stored,
    update,
    upsert,
)
from tests.client import Person


@pytest.mark.parametrize(
    ("row", "pointer", "code"),
    [
        (create(price=-1), "/rows/1/price", "amount"),
        (create(price=1.999), "/rows/1/price", "amount"),
        (create(name=5), "/rows/1/name", "invalid"),
        (create(quantity="3"), "/rows/1/quantity", "invalid"),
        (create(tags=[1]), "/rows/1/tags/0", "invalid"),
        (create(images=[{"url": "javascript:x"}]), "/rows/1/images/0/url", "invalid"),
        (create(**{"a/b~c": 1}), "/rows/1/a~1b~0c", "unknown_field"),
        (create(**{"$set": {}}), "/rows/1/$set", "unknown_field"),
        (create(id="0" * 24), "/rows/1/id", "unknown_field"),
        (create(version=1), "/rows/1/version", "unknown_field"),
        ({"operation": "create", "price": 1}, "/rows/1/name", "required"),
        ({"operation": "upsert", "sku": "A", "name": "x"}, "/rows/1/price", "required"),
        ({"operation": "upsert", "name": "x", "price": 1}, "/rows/1/sku", "required"),
        (update(price=1), "/rows/1/id", "nameless"),
        (update(sku=None, price=1), "/rows/1/id", "nameless"),
        (update(id="nonsense"), "/rows/1/id", "invalid"),
        (update(sku="A", version="1"), "/rows/1/version", "invalid"),
        (update(sku="A", images=[{}]), "/rows/1/images/0/url", "required"),
        (delete(), "/rows/1/id", "nameless"),
        (delete(sku="A", id="0" * 24), "/rows/1/sku", "named_twice"),
        (delete(sku="A", name="x"), "/rows/1/name", "unknown_field"),
        ({"operation": "drop", "name": "x"}, "/rows/1/operation", "invalid_choice"),
        ({"operation": ["create"]}, "/rows/1/operation", "invalid_choice"),
        ({"name": "x", "price": 1}, "/rows/1/operation", "required"),
        ("create", "/rows/1", "invalid"),
        (None, "/rows/1", "null"),
        ([], "/rows/1", "invalid"),
    ],
)
def test_a_malformed_row_names_its_field_and_keeps_no_other_out(
    row: Any, pointer: str, code: str, sam: Person
) -> None:
    answer = send(sam, create(sku="A"), row, create(sku="B"))
    assert outcomes(answer) == [(201, "created"), (400, "validation_error"), (201, "created")]
    assert faults(answer)[1] == [(pointer, code)]
    assert (answer["succeeded"], answer["failed"]) == (2, 1)
    assert [(one["sku"], one["version"]) for one in stored()] == [("A", 1), ("B", 1)]


def test_every_fault_of_a_row_is_listed(sam: Person) -> None:
    answer = send(sam, create(price="x", name="", colour="red"))
    assert {pointer for pointer, _ in faults(answer)[0]} == {
        "/rows/0/price", "/rows/0/name", "/rows/0/colour",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "outcome", "pointer"),
    [
        (update(id="0" * 24, price=1), (404, "product_not_found"), "/rows/0/id"),
        (update(sku="NONE", price=1), (404, "product_not_found"), "/rows/0/sku"),
        (delete(sku="NONE"), (404, "product_not_found"), "/rows/0/sku"),
        (delete(sku="V-1"), (404, "product_not_found"), "/rows/0/sku"),
        (delete(sku="GONE"), (404, "product_not_found"), "/rows/0/sku"),
        (update(sku="A", version=2), (412, "precondition_failed"), "/rows/0/version"),
        (delete(sku="A", version=2), (412, "precondition_failed"), "/rows/0/version"),
        (create(category="none"), (404, "category_not_found"), "/rows/0/category"),
        (update(sku="A", category="0" * 24), (404, "category_not_found"), "/rows/0/category"),
        (create(sku="A"), (409, "duplicate_product"), "/rows/0/sku"),
        (create(sku="V-1"), (409, "duplicate_product"), "/rows/0/sku"),
        (upsert("V-1"), (409, "duplicate_product"), "/rows/0/sku"),
        (create(variants=[{"sku": "A"}]), (409, "duplicate_product"), "/rows/0/variants/0/sku"),
        (create(slug="lamp"), (409, "duplicate_product"), "/rows/0/slug"),
        (update(sku="V", slug="lamp"), (409, "duplicate_product"), "/rows/0/slug"),
        (update(sku="V", quantity=1), (409, "quantity_of_variants"), "/rows/0/quantity"),
    ],
)
def test_a_row_that_the_shop_refuses_says_why_and_writes_nothing(
    row: dict[str, Any], outcome: tuple[int, str], pointer: str, sam: Person, make_product: Make
) -> None:
    make_product(sku="A", slug="lamp")
    make_product(sku="V", variants=[{"sku": "V-1", "options": [], "quantity": 10}])
    ProductService.delete(product_id=str(make_product(sku="GONE")["_id"]))
    before = stored()
    answer = send(sam, row)
    assert outcomes(answer) == [outcome]
    assert [where for where, _ in faults(answer)[0]] == [pointer]
    assert stored() == before


def test_a_deleted_product_is_not_found_by_its_id(sam: Person, lamp: ProductRow) -> None:
    ProductService.delete(product_id=str(lamp["_id"]))
    assert outcomes(send(sam, update(id=str(lamp["_id"]), price=1))) == [(404, "product_not_found")]


def test_of_two_rows_with_one_sku_the_first_counts(sam: Person) -> None:
    answer = send(sam, create(sku="A", name="One"), create(sku="A", name="Two"))
    assert outcomes(answer) == [(201, "created"), (409, "duplicate_product")]
    assert faults(answer)[1] == [("/rows/1/sku", "duplicate")]
    assert [one["name"] for one in stored()] == ["One"]


def test_skus_of_variants_and_slugs_are_compared_too(sam: Person) -> None:
    answer = send(
        sam,
        create(variants=[{"sku": "A"}], slug="one"),
        create(sku="A"),
        create(slug="one"),
        create(variants=[{"sku": "B"}, {"sku": "A"}]),
    )
    assert faults(answer) == [
        [],
        [("/rows/1/sku", "duplicate")],
        [("/rows/2/slug", "duplicate")],
        [("/rows/3/variants/1/sku", "duplicate")],
    ]
    assert len(stored()) == 1


@pytest.mark.parametrize(
    ("second", "pointer"),
    [
        (lambda lamp: update(id=str(lamp["_id"]), price=2), "/rows/1/id"),
        (lambda lamp: delete(id=str(lamp["_id"])), "/rows/1/id"),
        (lambda lamp: update(sku="A", price=2), "/rows/1/sku"),
        (lambda lamp: upsert("A", price=2), "/rows/1/sku"),
        (lambda lamp: delete(sku="A"), "/rows/1/sku"),
    ],
)
def test_a_product_stands_in_one_row(
    second: Callable[[ProductRow], Any], pointer: str, sam: Person, make_product: Make
) -> None:
    lamp = make_product(sku="A")
    answer = send(sam, update(sku="A", price=1), second(lamp))
    assert outcomes(answer) == [(200, "updated"), (400, "repeated_product")]
    assert faults(answer)[1] == [(pointer, "repeated_product")]
    assert [(one["price_minor"], one["version"]) for one in stored()] == [(100, 2)]


def test_a_product_that_a_row_adds_is_changed_by_no_other(sam: Person) -> None:
    answer = send(sam, upsert("A"), upsert("A", price=1), delete(sku="A"))
    assert outcomes(answer) == [(201, "created"), *[(400, "repeated_product")] * 2]
    assert [one["price_minor"] for one in stored()] == [5900]


def test_a_row_that_was_refused_claims_nothing(sam: Person) -> None:
    answer = send(sam, create(sku="A", category="none"), create(sku="A"))
    assert outcomes(answer) == [(404, "category_not_found"), (201, "created")]


def test_a_sku_that_a_row_gives_free_is_free_for_the_next(sam: Person, make_product: Make) -> None:
    changed, gone = make_product(sku="A", slug="a"), make_product(sku="B", slug="b")
    answer = send(
        sam,
        create(sku="B"),
        update(id=str(changed["_id"]), sku="C", slug=None),
        delete(id=str(gone["_id"])),
        create(sku="A", slug="a"),
        upsert("B", slug="b"),
    )
    assert [status for status, _ in outcomes(answer)] == [409, 200, 200, 201, 201]
    assert sorted((one.get("sku"), one.get("slug")) for one in stored(status="active")) == [
        ("A", "a"), ("B", "b"), ("C", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "pointer"),
    [
        (update(sku="V-1"), "/rows/0/sku"),
        (update(variants=[{"sku": "V"}]), "/rows/0/variants"),
    ],
)
@pytest.mark.parametrize("mode", ["reject-failed-rows", ALL_OR_NOTHING])
def test_a_row_gives_a_product_no_sku_twice(
    mode: str, row: dict[str, Any], pointer: str, sam: Person, make_product: Make
) -> None:
    variants = [{"sku": "V-1", "options": [], "quantity": 10}]
    product = make_product(sku="V", variants=variants)
    before = stored()
    answer = send(sam, {**row, "id": str(product["_id"])}, create(sku="NEW"), mode=mode)
    if mode == ALL_OR_NOTHING:
        assert (*answer.outcome, answer.pointers) == (409, "bulk_rejected", [pointer])
        assert stored() == before
    else:
        assert outcomes(answer) == [(400, "validation_error"), (201, "created")]
        assert faults(answer)[0] == [(pointer, "repeated_sku")]
        assert stored(sku="V") == before


def test_a_product_that_has_one_sku_twice_can_be_changed_and_mended(
    sam: Person, make_product: Make
) -> None:
    """Such products were stored once."""
    variants = [{"sku": "V", "options": [], "quantity": 10}]
    product = str(make_product(sku="V", variants=variants)["_id"])
    for row in (
        update(sku="V", price=2),
        update(id=product, name="B"),
        update(id=product, sku="W"),
    ):
        assert outcomes(send(sam, row)) == [(200, "updated")]
    assert stored()[0]["skus"] == ["W", "V"]
