"""Idempotency-Key on POST /users/: whoever registers twice by accident is registered once."""

from datetime import timedelta
from typing import Any

import bson
import pytest

from accounts.documents import User
from accounts.services import UserService
from ecommerce.core.documents import IdempotencyRecord
from ecommerce.core.idempotency import Operation
from ecommerce.core.ids import new_id
from ecommerce.core.mongo import collection, utc_now
from tests.client import Answer, ApiClient
from tests.faults import DiesAt, KilledError

KEY = "5f1c8a52-0d5e-4a0e-9c6e-000000000003"
CAROL: Any = {"username": "carol", "email": "carol@example.com", "password": "blue-kettle-77"}


def register(client: ApiClient, body: Any = None, **headers: str) -> Answer:
    return client.post("/users/", body or CAROL, Idempotency_Key=KEY, **headers)


def users() -> int:
    return collection(User).count_documents({})


def test_a_repeated_registration_is_the_same_answer_and_no_duplicate(anyone: ApiClient) -> None:
    first, again = register(anyone), register(anyone)
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert users() == 1


def test_no_record_holds_the_password_or_what_would_give_it_away(anyone: ApiClient) -> None:
    register(anyone)
    (row,) = collection(IdempotencyRecord).find({})
    (user,) = collection(User).find({})
    stored = bson.encode(row)
    assert CAROL["password"].encode() not in stored
    assert user["hashed_password"].encode() not in stored


@pytest.mark.parametrize("step", ["idempotency.claimed", "idempotency.effect"])
def test_a_retry_after_the_process_died_finds_the_user(
    step: str, anyone: ApiClient, dies_at: DiesAt
) -> None:
    dies_at(step)
    with pytest.raises(KilledError):
        register(anyone)
    past = utc_now() - timedelta(seconds=1)
    collection(IdempotencyRecord).update_one({}, {"$set": {"lease_until": past}})
    answer = register(anyone)
    assert (answer.status, answer["username"]) == (201, "carol")
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert b"hash" not in answer.body
    assert users() == 1


def test_the_same_key_with_another_password_is_422(anyone: ApiClient) -> None:
    register(anyone)
    other = {**CAROL, "password": "red-kettle-77"}
    assert register(anyone, other).outcome == (422, "idempotency_key_reused")


def test_a_key_of_a_stranger_at_another_address_replays_nothing(
    anyone: ApiClient, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = 1
    assert register(anyone, X_Forwarded_For="192.0.2.1").status == 201
    answer = register(anyone, X_Forwarded_For="192.0.2.2")
    assert answer.outcome == (409, "duplicate_user")
    assert register(anyone, X_Forwarded_For="192.0.2.1").status == 201


def test_a_key_of_another_guest_replays_nothing(anyone: ApiClient) -> None:
    assert register(anyone, X_Cart_Token="a" * 43).status == 201
    assert register(anyone, X_Cart_Token="b" * 43).outcome == (409, "duplicate_user")
    assert register(anyone).outcome == (409, "duplicate_user")
    assert register(anyone, X_Cart_Token="a" * 43).status == 201


def test_a_slow_first_try_answers_the_user_that_its_retry_made() -> None:
    operation = Operation(new_id(), keyed=True)
    retry = Operation(operation.id, keyed=True, retried=True)
    made = UserService.register(**CAROL, operation=retry)
    late = UserService.register(**CAROL, operation=operation)
    assert late == {name: value for name, value in made.items() if name != "hashed_password"}
    assert users() == 1
