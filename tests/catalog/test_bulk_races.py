"""POST /products/bulk: all or nothing, what others change meanwhile, and retries."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from catalog import selectors
from catalog.documents import CategoryRow, ProductRow
from catalog.services import CategoryService, ProductService
from catalog.services import bulk as bulk_service
from ecommerce.core.documents import IdempotencyRecord
from ecommerce.core.mongo import collection, utc_now
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
from tests.client import Answer, Person
from tests.faults import KilledError


def test_all_or_nothing_writes_all_sound_rows(sam: Person, make_product: Make) -> None:
    make_product(sku="A")
    answer = send(sam, create(), upsert("A"), mode=ALL_OR_NOTHING)
    assert outcomes(answer) == [(201, "created"), (200, "updated")]


def test_all_or_nothing_writes_nothing_if_any_row_is_faulty(
    sam: Person, make_product: Make
) -> None:
    make_product(sku="A")
    before = stored()
    rows = [create(), create(sku="A"), update(sku="A", price=1), create(price="x"), delete(sku="B")]
    answer = send(sam, *rows, mode=ALL_OR_NOTHING)
    assert answer.outcome == (409, "bulk_rejected")
    assert answer["detail"].startswith("3 of 5 rows are faulty, so none was written")
    assert answer.pointers == ["/rows/1/sku", "/rows/3/price", "/rows/4/sku"]
    assert stored() == before


def strike_between(monkeypatch: pytest.MonkeyPatch, rival: Callable[[], Any]) -> None:
    """Have somebody else write after the checks and before the first row's write."""
    written = bulk_service._written

    def late(*arguments: Any) -> Any:
        rival()
        return written(*arguments)

    monkeypatch.setattr(bulk_service, "_written", late)


@pytest.mark.parametrize("mode", ["reject-failed-rows", ALL_OR_NOTHING])
def test_what_others_change_after_the_checks_is_the_result_of_its_row(
    mode: str, sam: Person, make_product: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamp, mug = make_product(sku="LAMP"), make_product(sku="MUG")

    def rival() -> None:
        make_product(sku="NEW")
        ProductService.delete(product_id=str(lamp["_id"]))
        ProductService.update(product_id=str(mug["_id"]), changes={"price_minor": 1})

    strike_between(monkeypatch, rival)
    rows = [create(sku="NEW"), update(sku="LAMP", price=2), update(sku="MUG", version=1, price=2)]
    answer = send(sam, *rows, create(sku="OTHER"), mode=mode)
    assert outcomes(answer) == [
        (409, "duplicate_product"),
        (404, "product_not_found"),
        (412, "precondition_failed"),
        (201, "created"),
    ]
    assert [row[0] for row in faults(answer)[:3]] == [
        ("/rows/0/sku", "duplicate"),
        ("/rows/1/sku", "product_not_found"),
        ("/rows/2/version", "precondition_failed"),
    ]
    assert [one["price_minor"] for one in stored(sku="MUG")] == [1]


def test_a_category_that_goes_after_the_checks_is_the_result_of_its_row(
    sam: Person, make_category: Callable[..., CategoryRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_category("lamps")
    strike_between(monkeypatch, lambda: CategoryService.delete(reference="lamps"))
    answer = send(sam, create(category="lamps"))
    assert outcomes(answer) == [(404, "category_not_found")]
    assert faults(answer) == [[("/rows/0/category", "unknown_category")]]


@pytest.mark.parametrize("order", [1, -1])
def test_a_sku_that_goes_to_another_product_while_the_shop_is_read_fails_no_request(
    order: int, sam: Person, make_product: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = make_product(sku="A"), make_product(sku="B")
    really = selectors.products_by_sku

    def late(skus: Any) -> list[ProductRow]:
        ProductService.update(product_id=str(old["_id"]), changes={"sku": "C"})
        ProductService.update(product_id=str(new["_id"]), changes={"sku": "A"})
        return really(skus)

    monkeypatch.setattr(selectors, "products_by_sku", late)
    rows = [delete(id=str(old["_id"])), delete(sku="A")][::order]
    answer = send(sam, *rows)
    assert outcomes(answer) == [(200, "deleted")] * 2
    assert stored(status="active") == []


def test_many_at_once_add_each_product_once(sam: Person) -> None:
    rows = [create(sku=f"S-{number}") for number in range(5)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(sam, *rows), range(8)))
    statuses = [status for answer in answers for status, _ in outcomes(answer)]
    assert (statuses.count(201), statuses.count(409)) == (5, 35)
    assert sorted(one["sku"] for one in stored()) == [f"S-{number}" for number in range(5)]


def test_when_the_database_goes_away_in_between_the_answer_says_which_rows_are_written(
    sam: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_create = ProductService.create

    def failing(*, values: Any, operation: Any) -> ProductRow:
        if values.get("sku") == "B":
            raise ServerSelectionTimeoutError("no server")
        return true_create(values=values, operation=operation)

    monkeypatch.setattr(ProductService, "create", failing)
    answer = send(sam, create(sku="A"), create(sku="B"), create(sku="C"), create(price="x"))
    assert outcomes(answer) == [
        (201, "created"),
        *[(503, "store_unavailable")] * 2,
        (400, "validation_error"),
    ]
    assert answer["rows"][1]["detail"].startswith("The database did not answer, so this row may be")
    assert answer["rows"][2]["detail"].endswith("send the row again.")
    assert [one["sku"] for one in stored()] == ["A"]


@pytest.fixture
def dies_after_a_row(settings: Any) -> None:
    """The process dies when the next row is written."""

    def die(reached: str) -> None:
        if reached == "bulk.row":
            settings.CHECKPOINT = None
            raise KilledError

    settings.CHECKPOINT = die


def retried(person: Person, *rows: Any, **more: Any) -> Answer:
    """The answer to a request that died after its first row and was sent again."""
    body = {"rows": list(rows), **more}
    with pytest.raises(KilledError):
        person.api.post("/products/bulk", body, Idempotency_Key="bulk-1")
    lease_is_over = {"$set": {"lease_until": utc_now() - timedelta(seconds=1)}}
    collection(IdempotencyRecord).update_one({}, lease_is_over)
    return person.api.post("/products/bulk", body, Idempotency_Key="bulk-1")


def test_a_repeated_request_gets_the_same_answer(sam: Person) -> None:
    body = {"rows": [create(), create(price=-1)]}
    first, again = (sam.api.post("/products/bulk", body, Idempotency_Key="b") for _ in range(2))
    assert again.body == first.body
    assert len(stored()) == 1


@pytest.mark.usefixtures("dies_after_a_row")
@pytest.mark.parametrize("mode", ["reject-failed-rows", ALL_OR_NOTHING])
def test_what_a_try_that_died_has_added_is_not_added_again(mode: str, sam: Person) -> None:
    answer = retried(sam, create(sku="A"), create(), mode=mode)
    assert outcomes(answer) == [(201, "created")] * 2
    assert [str(one["_id"]) for one in stored()] == [row["id"] for row in answer["rows"]]


@pytest.mark.usefixtures("dies_after_a_row")
def test_a_retry_that_is_refused_says_that_an_earlier_try_may_have_written(
    sam: Person, make_product: Make
) -> None:
    make_product(sku="A")
    answer = retried(sam, delete(sku="A"), create(), mode=ALL_OR_NOTHING)
    assert answer.outcome == (409, "bulk_rejected")
    assert answer["detail"].endswith("died, and may have written some rows.")


def test_rows_stand_in_the_list_in_the_order_they_were_sent(sam: Person) -> None:
    send(sam, *(create(name=f"Shelf {number}") for number in range(5)))
    assert [one["name"] for one in stored()] == [f"Shelf {number}" for number in range(5)]
