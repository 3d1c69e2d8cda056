"""Idempotency-Key on the POSTs of the catalog: one effect, wherever a process dies or is slow."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from bson import ObjectId

from catalog.documents import Category, Product, ProductRow, StockMovement
from catalog.errors import CategoryNotFoundError
from catalog.services import CategoryService, ProductService, StockService
from ecommerce.core.documents import IdempotencyRecord
from ecommerce.core.errors import PreconditionFailedError
from ecommerce.core.idempotency import Operation
from ecommerce.core.ids import new_id
from ecommerce.core.mongo import collection, utc_now
from tests.client import Answer, ApiClient, Person
from tests.faults import DiesAt, KilledError

KEY = "5f1c8a52-0d5e-4a0e-9c6e-000000000002"
SOLD = {"delta": -3, "reason": "sold"}


def keyed(person: Person, path: str, body: Any) -> Answer:
    return person.api.post(path, body, Idempotency_Key=KEY)


def lease_ends() -> None:
    over = utc_now() - timedelta(seconds=1)
    collection(IdempotencyRecord).update_many({}, {"$set": {"lease_until": over}})


def stored(product: ProductRow) -> Any:
    return collection(Product).find_one({"_id": product["_id"]})


def movements() -> int:
    return collection(StockMovement).count_documents({})


def move(product: ProductRow, operation: Operation, **values: Any) -> ProductRow:
    given = {"delta": -3, "reason": "sold", "by": ObjectId(), **values}
    return StockService.move(product_id=str(product["_id"]), operation=operation, **given)


@pytest.fixture
def first() -> Operation:
    return Operation(new_id(), keyed=True)


@pytest.fixture
def retry(first: Operation) -> Operation:
    return Operation(first.id, keyed=True, retried=True)


# --- stock ---------------------------------------------------------------------------------------


def test_a_repeated_movement_moves_once(lamp: ProductRow, sam: Person) -> None:
    path = f"/products/{lamp['_id']}/stock"
    answer, again = keyed(sam, path, SOLD), keyed(sam, path, SOLD)
    assert (again.status, again.body) == (200, answer.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert keyed(sam, path, {**SOLD, "delta": -4}).outcome == (422, "idempotency_key_reused")
    assert (stored(lamp)["quantity"], movements()) == (7, 1)


@pytest.mark.parametrize(
    ("step", "left"),
    [
        ("idempotency.claimed", 10),
        ("stock.checked", 10),
        ("stock.moved", 7),
        ("stock.filed", 7),
        ("idempotency.effect", 7),
        ("idempotency.stored", 7),
    ],
)
def test_a_movement_whose_process_died_moves_once(
    step: str, left: int, lamp: ProductRow, sam: Person, dies_at: DiesAt
) -> None:
    path = f"/products/{lamp['_id']}/stock"
    dies_at(step)
    with pytest.raises(KilledError):
        keyed(sam, path, SOLD)
    assert stored(lamp)["quantity"] == left
    lease_ends()
    answer = keyed(sam, path, SOLD)
    assert (answer.status, answer["quantity"]) == (200, 7)
    assert answer.headers["Idempotent-Replayed"] == "true"
    row = stored(lamp)
    assert (row["quantity"], row["version"], row["unfiled_movements"]) == (7, 2, [])
    assert movements() == 1


@pytest.mark.parametrize("step", ["stock.checked", "stock.moved", "stock.filed"])
def test_a_movement_whose_retry_died_too_moves_once(
    step: str, lamp: ProductRow, sam: Person, dies_at: DiesAt
) -> None:
    path = f"/products/{lamp['_id']}/stock"
    for place in ("idempotency.claimed", step):
        dies_at(place)
        with pytest.raises(KilledError):
            keyed(sam, path, SOLD)
        lease_ends()
    assert keyed(sam, path, SOLD)["quantity"] == 7
    assert (stored(lamp)["version"], movements()) == (2, 1)


def test_a_retry_finds_the_movement_though_the_version_it_asked_for_is_gone(
    lamp: ProductRow, sam: Person, dies_at: DiesAt
) -> None:
    path = f"/products/{lamp['_id']}/stock"
    dies_at("idempotency.effect")
    with pytest.raises(KilledError):
        sam.api.post(path, SOLD, Idempotency_Key=KEY, If_Match='"v1"')
    lease_ends()
    answer = sam.api.post(path, SOLD, Idempotency_Key=KEY, If_Match='"v1"')
    assert (answer.status, answer["version"]) == (200, 2)


def test_a_retry_honours_the_version(lamp: ProductRow, retry: Operation) -> None:
    with pytest.raises(PreconditionFailedError):
        move(lamp, retry, expected_versions=[2])
    assert stored(lamp) == lamp


class Paused:
    """A try that stands still at a checkpoint until it is told to go on."""

    def __init__(self, settings: Any, name: str, work: Callable[[], ProductRow]) -> None:
        self._there, self._go = Event(), Event()
        self._settings = settings
        settings.CHECKPOINT = self._wait_at(name)
        self._pool = ThreadPoolExecutor(1)
        self._result = self._pool.submit(work)
        assert self._there.wait(10)
        settings.CHECKPOINT = None

    def _wait_at(self, name: str) -> Callable[[str], None]:
        def wait(reached: str) -> None:
            if reached == name and not self._there.is_set():
                self._there.set()
                assert self._go.wait(10)

        return wait

    def end(self) -> ProductRow:
        """Let it run to its end."""
        self._go.set()
        with self._pool:
            return self._result.result(10)


def test_a_slow_first_try_moves_nothing_after_its_retry(
    lamp: ProductRow, first: Operation, retry: Operation, settings: Any
) -> None:
    slow = Paused(settings, "stock.checked", lambda: move(lamp, first))
    assert move(lamp, retry)["quantity"] == 7
    assert slow.end()["quantity"] == 7
    assert (stored(lamp)["quantity"], stored(lamp)["version"], movements()) == (7, 2, 1)


def test_a_slow_retry_moves_nothing_after_the_first_try(
    lamp: ProductRow, first: Operation, retry: Operation, settings: Any
) -> None:
    slow = Paused(settings, "stock.checked", lambda: move(lamp, retry))
    assert move(lamp, first)["quantity"] == 7
    assert slow.end()["quantity"] == 7
    assert (stored(lamp)["quantity"], stored(lamp)["version"], movements()) == (7, 2, 1)


def test_other_movements_between_do_not_let_a_slow_first_try_in(
    lamp: ProductRow, first: Operation, retry: Operation, settings: Any
) -> None:
    slow = Paused(settings, "stock.checked", lambda: move(lamp, first))
    move(lamp, retry)
    for _ in range(3):
        move(lamp, Operation.unkeyed(), delta=-1)
        move(lamp, Operation(new_id(), keyed=True, retried=True), delta=1)
    slow.end()
    assert (stored(lamp)["quantity"], movements()) == (7, 7)


def test_a_retry_that_is_overtaken_by_others_still_moves(
    lamp: ProductRow, retry: Operation, settings: Any
) -> None:
    slow = Paused(settings, "stock.checked", lambda: move(lamp, retry))
    move(lamp, Operation.unkeyed(), delta=-1)
    assert slow.end()["quantity"] == 6
    assert movements() == 2


@pytest.mark.parametrize("number", range(10))
def test_any_number_of_tries_at_once_move_once(
    number: int, lamp: ProductRow, first: Operation, retry: Operation
) -> None:
    tries = [first, *[retry] * 15]
    with ThreadPoolExecutor(16) as pool:
        rows = list(pool.map(lambda operation: move(lamp, operation), tries))
    assert {row["quantity"] for row in rows} == {7}
    assert (stored(lamp)["quantity"], stored(lamp)["version"], movements()) == (7, 2, 1)


def test_32_requests_at_once_move_once(lamp: ProductRow, sam: Person) -> None:
    path = f"/products/{lamp['_id']}/stock"

    def post(_: int) -> int:
        return ApiClient(sam.api.token).post(path, SOLD, Idempotency_Key=KEY).status

    with ThreadPoolExecutor(32) as pool:
        assert Counter(pool.map(post, range(32))).keys() <= {200, 409}
    assert (stored(lamp)["quantity"], movements()) == (7, 1)


def test_a_product_remembers_the_last_hundred_retries(lamp: ProductRow) -> None:
    tries = [Operation(new_id(), keyed=True, retried=True) for _ in range(101)]
    for operation in tries:
        move(lamp, operation, delta=1)
    assert stored(lamp)["stock_fences"] == [operation.id for operation in tries[1:]]


# --- products ------------------------------------------------------------------------------------


def test_a_product_whose_category_is_gone_since_is_found_by_the_retry(
    make_category: Callable[..., Any], sam: Person, dies_at: DiesAt
) -> None:
    make_category("lamps")
    body = {"name": "Lamp", "price": 5, "category": "lamps", "sku": "L1"}
    dies_at("products.inserted")
    with pytest.raises(KilledError):
        keyed(sam, "/products/", body)
    make_category("other")
    assert sam.api.delete("/categories/lamps?products_to=other").status == 204
    lease_ends()
    answer = keyed(sam, "/products/", body)
    assert (answer.status, answer["category"]) == (201, "other")
    assert collection(Product).count_documents({}) == 1


def test_a_slow_first_try_answers_the_product_that_its_retry_made(
    first: Operation, retry: Operation
) -> None:
    values = {"name": "Lamp", "price_minor": 1, "quantity": 1, "status": "active", "sku": "L1"}
    made = ProductService.create(values=values, operation=retry)
    assert ProductService.create(values=values, operation=first) == made


# --- categories ----------------------------------------------------------------------------------

SHELF = {"name": "Shelf lamps"}


def categories() -> list[str]:
    return sorted(row["slug"] for row in collection(Category).find({}))


def test_a_repeated_category_is_made_once(sam: Person) -> None:
    answer, again = keyed(sam, "/categories/", SHELF), keyed(sam, "/categories/", SHELF)
    assert (again.status, again.body) == (201, answer.body)
    assert again.headers["Location"] == answer.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert categories() == ["shelf-lamps"]


@pytest.mark.parametrize("body", [SHELF, {**SHELF, "slug": "shelf"}, {**SHELF, "parent": "home"}])
@pytest.mark.parametrize(
    "step",
    [
        "idempotency.claimed",
        "categories.decided",
        "categories.carried_out",
        "idempotency.effect",
        "idempotency.stored",
    ],
)
def test_a_category_whose_process_died_is_made_once(
    step: str, body: Any, make_category: Callable[..., Any], sam: Person, dies_at: DiesAt
) -> None:
    make_category("home")
    dies_at(step)
    with pytest.raises(KilledError):
        keyed(sam, "/categories/", body)
    lease_ends()
    answer = keyed(sam, "/categories/", body)
    slug = body.get("slug", "shelf-lamps")
    assert (answer.status, answer["slug"]) == (201, slug)
    assert answer["id"] == str(collection(IdempotencyRecord).find({})[0]["operation_id"])
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert categories() == sorted(["home", slug])


@pytest.mark.parametrize("values", [SHELF, {**SHELF, "slug": "shelf"}])
def test_a_slow_first_try_answers_the_category_that_its_retry_made(
    values: Any, first: Operation, retry: Operation
) -> None:
    made = CategoryService.create(values=values, operation=retry)
    assert CategoryService.create(values=values, operation=first) == made
    assert len(categories()) == 1


def test_a_category_that_was_deleted_since_is_not_made_again(
    first: Operation, retry: Operation
) -> None:
    made = CategoryService.create(values={"name": "Lamps"}, operation=first)
    CategoryService.delete(reference=made["slug"])
    with pytest.raises(CategoryNotFoundError):
        CategoryService.create(values={"name": "Lamps"}, operation=retry)
    assert collection(Category).count_documents({"slug": "lamps"}) == 0


def test_a_second_category_of_the_same_name_is_another_operation(sam: Person) -> None:
    keyed(sam, "/categories/", SHELF)
    assert sam.api.post("/categories/", SHELF, Idempotency_Key="another")["slug"] == "shelf-lamps-2"
