"""POST /products/bulk: many writes by staff, each with its own result."""

from collections.abc import Callable
from typing import Any

import pytest

from catalog.documents import CategoryRow, ProductRow
from tests.catalog.bulk_requests import (
    ALL_OR_NOTHING,
    Make,
    create,
    delete,
    outcomes,
    send,
    stored,
    update,
    upsert,
)
from tests.client import ApiClient, Person
from tests.operations import recorded


def test_each_operation_answers_with_its_own_result(sam: Person, make_product: Make) -> None:
    lamp, mug = make_product(sku="LAMP"), make_product(sku="MUG")
    old = make_product(sku="OLD")
    answer = send(
        sam,
        create(sku="NEW"),
        update(id=str(lamp["_id"]), price="44.50"),
        upsert("MUG", quantity=3),
        upsert("CUP"),
        delete(sku="OLD"),
    )
    assert outcomes(answer) == [
        (201, "created"), (200, "updated"), (200, "updated"), (201, "created"), (200, "deleted"),
    ]  # fmt: skip
    assert (answer["succeeded"], answer["failed"]) == (5, 0)
    new, cup = stored(sku="NEW")[0], stored(sku="CUP")[0]
    assert [(row["index"], row["id"], row["version"]) for row in answer["rows"]] == [
        (0, str(new["_id"]), 1),
        (1, str(lamp["_id"]), 2),
        (2, str(mug["_id"]), 2),
        (3, str(cup["_id"]), 1),
        (4, str(old["_id"]), None),
    ]
    assert sam.api.get(f"/products/{lamp['_id']}")["price"] == 44.5
    assert sam.api.get(f"/products/{mug['_id']}")["quantity"] == 3
    assert sam.api.get(f"/products/{old['_id']}").status == 404


def test_a_created_product_has_every_field(
    sam: Person, make_category: Callable[..., CategoryRow]
) -> None:
    make_category("shelves")
    full = {
        "name": "Shelf", "price": 59.5, "category": "shelves", "tags": ["oak"], "slug": "shelf",
        "attributes": {"depth_cm": 30}, "variants": [{"sku": "S-1", "quantity": 4}],
    }  # fmt: skip
    answer = send(sam, {"operation": "create", **full})
    product = sam.api.get(f"/products/{answer['rows'][0]['id']}").json()
    (variant,) = product.pop("variants")
    assert variant.items() >= full.pop("variants")[0].items()  # type: ignore[index]
    assert {name: product[name] for name in full} == full
    assert product["quantity"] == 4
    assert [row["id"] for row in sam.api.get("/products/?q=shelf&category=shelves")["items"]] == [
        product["id"]
    ]


def test_update_and_upsert_leave_what_was_not_sent(sam: Person, make_product: Make) -> None:
    make_product(sku="A", brand="Eastlight", quantity=7)
    make_product(sku="B", brand="Eastlight", quantity=7)
    answer = send(sam, update(sku="A", name="Torch"), upsert("B", name="Torch"))
    assert outcomes(answer) == [(200, "updated")] * 2
    for product in sam.api.get("/products/?q=torch")["items"]:
        assert (product["brand"], product["quantity"]) == ("Eastlight", 7)


def test_with_an_id_the_sku_is_a_field_to_change(sam: Person, lamp: ProductRow) -> None:
    assert outcomes(send(sam, update(id=str(lamp["_id"]), sku="L-2"))) == [(200, "updated")]
    assert stored(sku="L-2")[0]["_id"] == lamp["_id"]


def test_new_variants_bring_their_quantity(sam: Person, make_product: Make) -> None:
    make_product(sku="A", quantity=1)
    variants = [{"sku": "A-1", "quantity": 2}, {"sku": "A-2", "quantity": 3}]
    assert outcomes(send(sam, upsert("A", variants=variants))) == [(200, "updated")]
    assert stored(sku="A")[0]["quantity"] == 5


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/rows", "required"),
        ({"rows": []}, "/rows", "empty"),
        ({"rows": None}, "/rows", "null"),
        ({"rows": {}}, "/rows", "not_a_list"),
        ({"rows": "x"}, "/rows", "not_a_list"),
        ({"rows": [create()] * 501}, "/rows", "max_length"),
        ({"rows": [create()], "mode": "some"}, "/mode", "invalid_choice"),
        ({"rows": [create()], "mode": None}, "/mode", "null"),
        ({"rows": [create()], "dry_run": True}, "/dry_run", "unknown_field"),
        ([create()], "", "invalid"),
    ],
)
def test_a_request_that_is_none_is_400_and_writes_nothing(
    body: Any, pointer: str, code: str, sam: Person
) -> None:
    answer = sam.api.post("/products/bulk", body)
    assert answer.outcome == (400, "validation_error")
    assert [(fault["pointer"], fault["code"]) for fault in answer["errors"]] == [(pointer, code)]
    assert stored() == []


def test_more_than_a_mebibyte_is_413(sam: Person) -> None:
    rows = [create(description="x" * 3000)] * 400
    assert send(sam, *rows).outcome == (413, "body_too_large")
    assert stored() == []


def test_500_rows_are_checked_in_five_reads(
    sam: Person, make_product: Make, make_category: Callable[..., CategoryRow]
) -> None:
    products = [make_product(sku=f"S-{number}") for number in range(100)]
    category = make_category("lamps")
    rows = [
        *(update(id=str(row["_id"]), version=9) for row in products[:50]),
        *(update(sku=str(row["sku"]), category="lamps") for row in products[50:]),
        *(create(sku=f"N-{number}", slug=f"n-{number}") for number in range(399)),
        create(sku="N-1", category=str(category["_id"])),
    ]
    with recorded() as seen:
        answer = send(sam, *rows, mode=ALL_OR_NOTHING)
    assert answer.outcome == (409, "bulk_rejected")
    assert [f"{operation.collection}.{operation.kind}" for operation in seen] == [
        "users.find",  # the caller
        "products.find", "products.find", "products.find",  # by id, by sku, by slug
        "categories.find", "categories.find",  # ids, then slugs
    ]  # fmt: skip


def test_500_rows_are_written(sam: Person) -> None:
    rows = [upsert(f"S-{number}", price=number) for number in range(500)]
    assert outcomes(send(sam, *rows)) == [(201, "created")] * 500
    assert outcomes(send(sam, *rows)) == [(200, "updated")] * 500
    assert sorted(one["price_minor"] for one in stored()) == [n * 100 for n in range(500)]


@pytest.mark.parametrize("path", ["/products/bulk", "/products/bulk/"])
def test_only_staff_may(path: str, anyone: ApiClient, alice: Person, sam: Person) -> None:
    body = {"rows": [create()]}
    assert anyone.post(path, body).outcome == (401, "not_authenticated")
    assert alice.api.post(path, body).outcome == (403, "permission_denied")
    assert stored() == []
    assert sam.api.post(path, body).status == 200
    assert sam.api.get(path).status == 405


def test_people_see_the_results_as_a_page(sam: Person) -> None:
    answer = sam.api.post(
        "/products/bulk", {"rows": [create(), create(price=-1)]}, Accept="text/html"
    )
    assert (answer.status, "/rows/1/price" in answer.body.decode()) == (200, True)
