"""Idempotency-Key: one POST and its retries have one effect and one answer."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.cache import cache
from pymongo.errors import AutoReconnect

from catalog.documents import Product
from ecommerce.core.documents import IdempotencyRecord
from ecommerce.core.idempotency import Operation, records
from ecommerce.core.ids import new_id
from ecommerce.core.mongo import collection, utc_now
from tests.client import Answer, ApiClient, Person, Reset, cut_short
from tests.faults import DiesAt, KilledError

KEY = "5f1c8a52-0d5e-4a0e-9c6e-000000000001"
LAMP = {"name": "Lamp", "price": 5, "quantity": 3}


def make(person: Person, body: Any = None, key: str = KEY, path: str = "/products/") -> Answer:
    return person.api.post(path, LAMP if body is None else body, Idempotency_Key=key)


def products() -> int:
    return collection(Product).count_documents({})


def record() -> Any:
    (only,) = collection(IdempotencyRecord).find({})
    return only


def set_record(**values: Any) -> None:
    collection(IdempotencyRecord).update_one({}, {"$set": values})


def lease_ends() -> None:
    set_record(lease_until=utc_now() - timedelta(seconds=1))


def test_a_repeated_request_gets_the_same_bytes_and_is_marked(sam: Person) -> None:
    first, again = make(sam), make(sam)
    assert first.status == again.status == 201
    assert again.body == first.body
    for name in ("Content-Type", "Location", "ETag", "Cache-Control"):
        assert again.headers[name] == first.headers[name]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert products() == 1


def test_the_stored_answer_stays_what_it_was_when_the_product_changes(sam: Person) -> None:
    first = make(sam)
    sam.api.patch(f"/products/{first['id']}", {"name": "Other"})
    assert make(sam).body == first.body


def test_the_id_of_what_was_made_is_the_operations(sam: Person) -> None:
    assert make(sam)["id"] == str(record()["operation_id"])


def test_without_the_header_nothing_is_kept(sam: Person) -> None:
    first, again = sam.api.post("/products/", LAMP), sam.api.post("/products/", LAMP)
    assert first["id"] != again["id"]
    assert collection(IdempotencyRecord).count_documents({}) == 0


def test_another_body_under_the_same_key_is_422(sam: Person) -> None:
    first = make(sam)
    assert make(sam, {**LAMP, "price": 6}).outcome == (422, "idempotency_key_reused")
    assert products() == 1
    assert make(sam).body == first.body


def test_the_path_with_and_without_its_slash_is_the_same_request(sam: Person) -> None:
    assert make(sam, path="/products").body == make(sam, path="/products/").body


@pytest.mark.parametrize("key", ["", "x" * 256, "with blank", "\u00e4", "tab\tbed"])
def test_what_cannot_be_a_key_is_400(key: str, sam: Person) -> None:
    assert make(sam, key=key).outcome == (400, "invalid_idempotency_key")
    assert products() == 0


@pytest.mark.parametrize("key", ["1", "x" * 255, '"quoted"', "~!"])
def test_any_visible_ascii_is_a_key(key: str, sam: Person) -> None:
    assert make(sam, key=key).body == make(sam, key=key).body


def test_the_same_key_of_another_person_is_another_key(
    sam: Person, make_person: Callable[[str], Person]
) -> None:
    other = make_person("bob")
    first = make(sam)
    assert make(other).outcome == (403, "permission_denied")
    assert make(sam).body == first.body
    assert collection(IdempotencyRecord).count_documents({}) == 1


def test_a_twin_in_flight_is_409_and_says_when_to_come_again(sam: Person, settings: Any) -> None:
    twins: list[Answer] = []

    def meanwhile(name: str) -> None:
        if name == "idempotency.claimed":
            twins.append(make(sam))

    settings.CHECKPOINT = meanwhile
    assert make(sam).status == 201
    assert [twin.outcome for twin in twins] == [(409, "operation_in_progress")]
    assert twins[0].headers["Retry-After"] == "1"
    assert products() == 1


def test_a_twin_waits_as_long_again_as_the_work_has_taken(sam: Person, settings: Any) -> None:
    twins: list[Answer] = []

    def meanwhile(name: str) -> None:
        if name == "idempotency.claimed":
            for seconds in (8, 28):
                set_record(
                    updated_at=utc_now() - timedelta(seconds=seconds),
                    lease_until=utc_now() + timedelta(seconds=29.9 - seconds),
                )
                twins.append(make(sam))

    settings.CHECKPOINT = meanwhile
    make(sam)
    assert [twin.headers["Retry-After"] for twin in twins] == ["8", "2"]


@pytest.mark.parametrize(
    ("step", "made"),
    [("idempotency.claimed", 0), ("products.inserted", 1), ("idempotency.effect", 1)],
)
def test_a_retry_after_the_process_died_has_one_effect(
    step: str, made: int, sam: Person, dies_at: DiesAt
) -> None:
    dies_at(step)
    with pytest.raises(KilledError):
        make(sam)
    assert products() == made
    operation = record()["operation_id"]
    assert make(sam).outcome == (409, "operation_in_progress")
    lease_ends()
    answer = make(sam)
    assert (answer.status, answer["id"]) == (201, str(operation))
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert products() == 1
    assert make(sam).body == answer.body


def test_an_answer_that_was_stored_but_not_sent_is_replayed(sam: Person, dies_at: DiesAt) -> None:
    dies_at("idempotency.stored")
    with pytest.raises(KilledError):
        make(sam)
    answer = make(sam)
    assert (answer.status, answer.headers["Idempotent-Replayed"]) == (201, "true")
    assert products() == 1


def test_a_slow_holder_whose_claim_was_taken_over_makes_no_second_product(
    sam: Person, settings: Any
) -> None:
    retries: list[Answer] = []

    def meanwhile(name: str) -> None:
        if name == "idempotency.claimed" and not retries:
            settings.CHECKPOINT = None
            lease_ends()
            retries.append(make(sam))
            sam.api.patch(f"/products/{retries[0]['id']}", {"name": "Other"})

    settings.CHECKPOINT = meanwhile
    slow = make(sam)
    assert (slow["id"], slow["name"]) == (retries[0]["id"], "Other")
    assert products() == 1
    assert make(sam).body == retries[0].body, "the answer is not the slow holder's to store"


def test_after_a_day_the_key_is_free(sam: Person) -> None:
    first = make(sam)
    set_record(created_at=utc_now() - timedelta(hours=24))
    again = make(sam)
    assert again["id"] != first["id"]
    assert "Idempotent-Replayed" not in again.headers
    assert record()["operation_id"] != first["id"]


def test_a_second_before_the_day_is_over_it_is_not(sam: Person) -> None:
    first = make(sam)
    set_record(created_at=utc_now() - timedelta(hours=23, minutes=59, seconds=58))
    assert make(sam).body == first.body


def test_the_cache_may_be_emptied(sam: Person) -> None:
    first = make(sam)
    cache.clear()
    assert make(sam).body == first.body


def test_a_refusal_is_not_kept_the_same_request_works_once_it_can(
    sam: Person, make_product: Callable[..., Any]
) -> None:
    other = make_product(sku="L1")
    body = {**LAMP, "sku": "L1"}
    assert make(sam, body).outcome == (409, "duplicate_product")
    assert make(sam, body).outcome == (409, "duplicate_product")
    assert sam.api.delete(f"/products/{other['_id']}").status == 204
    answer = make(sam, body)
    assert answer.status == 201
    assert "Idempotent-Replayed" not in answer.headers
    assert make(sam, body).body == answer.body


def test_invalid_input_under_a_key_is_400_each_time(sam: Person) -> None:
    for _ in range(2):
        assert make(sam, {"name": ""}).outcome == (400, "validation_error")
    assert make(sam).outcome == (422, "idempotency_key_reused")


@pytest.mark.parametrize("stream", [BytesIO, Reset])
@pytest.mark.parametrize("kept", [0, 10, 30])
def test_a_body_that_was_cut_on_its_way_leaves_the_key_to_the_whole_one(
    kept: int, stream: type[BytesIO], sam: Person
) -> None:
    raw = json.dumps(LAMP).encode()[:kept]
    cut = sam.api.send(
        "POST",
        "/products/",
        raw=raw,
        headers={"Idempotency_Key": KEY},
        environ=cut_short(raw, stream),
    )
    assert cut.outcome == (400, "incomplete_body")
    whole = make(sam)
    assert (whole.status, products()) == (201, 1)
    assert "Idempotent-Replayed" not in whole.headers


def test_after_a_fault_of_ours_the_retry_works_under_the_same_operation(
    sam: Person, settings: Any
) -> None:
    def fail(name: str) -> None:
        if name == "products.inserted":
            settings.CHECKPOINT = None
            raise RuntimeError("a fault of ours")

    settings.CHECKPOINT = fail
    sam.api._client.raise_request_exception = False
    assert make(sam).outcome == (500, "internal_error")
    answer = make(sam)
    assert (answer.status, answer.headers["Idempotent-Replayed"]) == (201, "true")
    assert answer["id"] == str(record()["operation_id"])
    assert products() == 1


def test_an_answer_that_cannot_be_stored_is_given_all_the_same(
    sam: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any) -> None:
        raise AutoReconnect("the database went away after the work")

    with monkeypatch.context() as outage:
        outage.setattr(records, "_write", gone)
        first = make(sam)
    assert first.status == 201
    assert make(sam).outcome == (409, "operation_in_progress")
    lease_ends()
    assert make(sam).body == first.body
    assert products() == 1


def test_a_retry_of_what_was_deleted_since_is_404(sam: Person, dies_at: DiesAt) -> None:
    dies_at("idempotency.effect")
    with pytest.raises(KilledError):
        make(sam)
    sam.api.delete(f"/products/{record()['operation_id']}")
    lease_ends()
    assert make(sam).outcome == (404, "product_not_found")
    assert products() == 1


def test_a_large_answer_is_not_stored_the_retry_gets_the_present_state(
    sam: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MAX_STORED_BODY", 100)
    first = make(sam)
    assert "body" not in record()
    sam.api.patch(f"/products/{first['id']}", {"quantity": 2})
    again = make(sam)
    assert (again.status, again["id"], again["quantity"]) == (201, first["id"], 2)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert products() == 1


def test_an_answer_that_nobody_may_store_is_not_stored(sam: Person) -> None:
    page = sam.api.post("/products/", LAMP, Idempotency_Key=KEY, Accept="text/html")
    assert (page.status, page.headers["Cache-Control"]) == (201, "private, no-store")
    assert "body" not in record()
    again = make(sam)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert products() == 1


def test_32_at_once_have_one_effect(sam: Person) -> None:
    def post(_: int) -> Answer:
        return ApiClient(sam.api.token).post("/products/", LAMP, Idempotency_Key=KEY)

    for number in range(5):
        collection(IdempotencyRecord).delete_many({})
        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(post, range(32)))
        assert products() == number + 1
        assert Counter(a.status for a in answers).keys() <= {201, 409}
        made = [answer for answer in answers if answer.status == 201]
        assert len({answer.body for answer in made}) == 1
        assert sum("Idempotent-Replayed" not in answer.headers for answer in made) == 1


def test_32_at_once_after_the_lease_have_one_effect(sam: Person, dies_at: DiesAt) -> None:
    dies_at("idempotency.claimed")
    with pytest.raises(KilledError):
        make(sam)
    lease_ends()

    def post(_: int) -> Answer:
        return ApiClient(sam.api.token).post("/products/", LAMP, Idempotency_Key=KEY)

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(post, range(32)))
    assert Counter(a.status for a in answers).keys() <= {201, 409}
    assert products() == 1
    assert record()["version"] == 3, "claimed, taken over once, done"


def test_the_secret_of_an_operation_can_be_made_again() -> None:
    operation = Operation(new_id(), keyed=True)
    secret = operation.secret("cart-token")
    assert len(secret) == 43  # 256 bits in base64url
    assert Operation(operation.id, keyed=True, retried=True).secret("cart-token") == secret
    assert operation.secret("other") != secret
    assert Operation.unkeyed().secret("cart-token") != secret
