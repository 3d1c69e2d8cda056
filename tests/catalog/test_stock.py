"""/products/{id}/stock: pieces come and go, never below zero, each with its reason."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from bson import ObjectId

from catalog.documents import Product, ProductRow, StockMovement
from catalog.services import StockService, stock
from ecommerce.core.mongo import collection
from tests.client import ApiClient, Person
from tests.faults import KilledError

Make = Callable[..., ProductRow]


def stored(product: ProductRow) -> Any:
    return collection(Product).find_one({"_id": product["_id"]})


@pytest.fixture
def shirt(make_product: Make) -> ProductRow:
    """With two variants, of 3 and 1 pieces."""
    variants = [
        {"sku": "S", "options": [{"name": "size", "value": "S"}], "quantity": 3},
        {"sku": "M", "options": [{"name": "size", "value": "M"}], "quantity": 1},
    ]
    return make_product(name="Shirt", variants=variants, quantity=4)


@pytest.mark.parametrize(
    ("delta", "quantity", "in_stock"), [(5, 15, True), (-3, 7, True), (-10, 0, False)]
)
def test_a_movement_changes_the_quantity_and_is_recorded(
    delta: int, quantity: int, in_stock: bool, lamp: ProductRow, sam: Person
) -> None:
    path = f"/products/{lamp['_id']}/stock"
    answer = sam.api.post(path, {"delta": delta, "reason": "counted"})
    assert (answer.status, answer["quantity"], answer["version"]) == (200, quantity, 2)
    assert stored(lamp)["in_stock"] is in_stock
    assert stored(lamp)["unfiled_movements"] == []
    (movement,) = sam.api.get(path)["items"]
    stamp = movement.pop("created_at")
    assert stamp == answer["updated_at"]
    assert movement.pop("id")
    assert movement == {
        "product_id": str(lamp["_id"]), "sku": None, "delta": delta, "reason": "counted",
        "by": sam.id,
    }  # fmt: skip


def test_it_never_goes_below_zero(lamp: ProductRow, sam: Person) -> None:
    answer = sam.api.post(f"/products/{lamp['_id']}/stock", {"delta": -11, "reason": "sold"})
    assert answer.outcome == (409, "insufficient_stock")
    assert answer["available_quantity"] == 10
    assert stored(lamp) == lamp
    assert collection(StockMovement).count_documents({}) == 0


def test_it_never_goes_above_what_a_product_can_have(lamp: ProductRow, sam: Person) -> None:
    body = {"delta": 1_000_000_000, "reason": "typing error"}
    answer = sam.api.post(f"/products/{lamp['_id']}/stock", body)
    assert answer.outcome == (409, "stock_limit")
    assert stored(lamp) == lamp


def test_a_product_with_variants_moves_one_of_them(shirt: ProductRow, sam: Person) -> None:
    path = f"/products/{shirt['_id']}/stock"
    answer = sam.api.post(path, {"delta": -3, "reason": "sold", "sku": "S"})
    assert [variant["quantity"] for variant in answer["variants"]] == [0, 1]
    assert answer["quantity"] == 1
    short = sam.api.post(path, {"delta": -1, "reason": "sold", "sku": "S"})
    assert (*short.outcome, short["available_quantity"]) == (409, "insufficient_stock", 0)
    assert sam.api.post(path, {"delta": -1, "reason": "sold", "sku": "M"})["quantity"] == 0
    assert stored(shirt)["in_stock"] is False
    assert sam.api.post(path, {"delta": 2, "reason": "back", "sku": "M"})["quantity"] == 2
    assert stored(shirt)["in_stock"] is True


def test_the_variant_must_be_named_and_be_there(
    shirt: ProductRow, lamp: ProductRow, sam: Person
) -> None:
    path, body = f"/products/{shirt['_id']}/stock", {"delta": 1, "reason": "x"}
    for wrong in (body, {**body, "sku": "XL"}):
        answer = sam.api.post(path, wrong)
        assert answer.outcome == (404, "variant_not_found")
        assert "S, M" in answer["detail"]
    plain = sam.api.post(f"/products/{lamp['_id']}/stock", {**body, "sku": "S"})
    assert plain.outcome == (404, "variant_not_found")
    assert stored(shirt) == shirt


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reason": "x"}, "/delta"),
        ({"delta": 0, "reason": "x"}, "/delta"),
        ({"delta": 1.5, "reason": "x"}, "/delta"),
        ({"delta": 2_000_000_000, "reason": "x"}, "/delta"),
        ({"delta": 1}, "/reason"),
        ({"delta": 1, "reason": ""}, "/reason"),
        ({"delta": 1, "reason": "x" * 201}, "/reason"),
        ({"delta": 1, "reason": "x", "quantity": 3}, "/quantity"),
    ],
)
def test_bad_input_names_the_field(body: Any, pointer: str, lamp: ProductRow, sam: Person) -> None:
    answer = sam.api.post(f"/products/{lamp['_id']}/stock", body)
    assert (answer.status, answer.pointers) == (400, [pointer])


def test_staff_alone_moves_and_reads_stock(
    lamp: ProductRow, alice: Person, anyone: ApiClient
) -> None:
    path, body = f"/products/{lamp['_id']}/stock", {"delta": -1, "reason": "x"}
    assert anyone.post(path, body).outcome == (401, "not_authenticated")
    assert alice.api.post(path, body).outcome == (403, "permission_denied")
    assert alice.api.get(path).outcome == (403, "permission_denied")
    assert stored(lamp) == lamp


@pytest.mark.parametrize("bad", ["0" * 24, "nonsense"])
def test_an_unknown_product_is_404(bad: str, sam: Person) -> None:
    path = f"/products/{bad}/stock"
    assert sam.api.post(path, {"delta": 1, "reason": "x"}).outcome == (404, "product_not_found")
    assert sam.api.get(path).outcome == (404, "product_not_found")


def test_if_match_is_honoured(lamp: ProductRow, sam: Person) -> None:
    path, body = f"/products/{lamp['_id']}/stock", {"delta": -1, "reason": "x"}
    assert sam.api.post(path, body, If_Match='"v2"').outcome == (412, "precondition_failed")
    assert sam.api.post(path, body, If_Match='"v1"').status == 200


def test_64_parallel_movements_take_exactly_what_is_there(make_product: Make, sam: Person) -> None:
    product = make_product(quantity=40)

    def take(number: int) -> int:
        body = {"delta": -1, "reason": f"order {number}"}
        return ApiClient(sam.api.token).post(f"/products/{product['_id']}/stock", body).status

    with ThreadPoolExecutor(16) as pool:
        assert Counter(pool.map(take, range(64))) == {200: 40, 409: 24}
    row = stored(product)
    assert (row["quantity"], row["in_stock"], row["version"]) == (0, False, 41)
    assert collection(StockMovement).count_documents({"product_id": product["_id"]}) == 40


def test_a_movement_whose_process_died_before_filing_it_is_filed_by_the_next(
    lamp: ProductRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_: Any) -> None:
        raise KilledError

    def move(reason: str) -> None:
        StockService.move(product_id=str(lamp["_id"]), delta=-1, reason=reason, by=ObjectId())

    with monkeypatch.context() as patch:
        patch.setattr(stock, "_filed", die)
        with pytest.raises(KilledError):
            move("first")
    assert stored(lamp)["quantity"] == 9
    move("second")
    reasons = [row["reason"] for row in collection(StockMovement).find({}).sort("_id", 1)]
    assert reasons == ["first", "second"]
    assert stored(lamp)["unfiled_movements"] == []


def test_the_quantity_of_a_product_can_still_be_set(lamp: ProductRow, sam: Person) -> None:
    answer = sam.api.patch(f"/products/{lamp['_id']}", {"quantity": 0})
    assert answer["quantity"] == 0
    assert stored(lamp)["in_stock"] is False
