"""`clear_expired_carts` deletes what has expired, in batches, and nothing else."""

import time
from datetime import timedelta

import pytest
from bson import ObjectId

from carts.documents import ShoppingCart
from carts.services import expiring
from ecommerce.core.mongo import collection, utc_now
from tests.client import Person
from tests.commands import run


@pytest.fixture
def carts(alice: Person) -> list[ObjectId]:
    """Seven carts of alice, of which the first five have expired."""
    ids = [ObjectId(alice.api.post("/shopping-carts/", {})["id"]) for _ in range(7)]
    ended = utc_now() - timedelta(seconds=1)
    collection(ShoppingCart).update_many({"_id": {"$in": ids[:5]}}, {"$set": {"expires_at": ended}})
    return ids


def clear(*arguments: str) -> str:
    return run("clear_expired_carts", *arguments)


def stored() -> set[ObjectId]:
    return {row["_id"] for row in collection(ShoppingCart).find({}, {"_id": 1})}


def test_the_database_deletes_them_too_by_its_own_clock() -> None:
    index = collection(ShoppingCart).index_information()["cart_expiry"]
    assert (list(index["key"]), index["expireAfterSeconds"]) == ([("expires_at", 1)], 0)


def test_a_dry_run_counts_and_deletes_nothing(carts: list[ObjectId]) -> None:
    assert clear("--dry-run") == "5 expired carts: nothing was deleted.\n"
    assert stored() == set(carts)


@pytest.mark.parametrize("batch", [2, 5, 500])
def test_it_deletes_the_expired_ones_alone(
    batch: int, carts: list[ObjectId], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiring, "_BATCH", batch)
    assert clear() == "5 expired carts deleted.\n"
    assert stored() == set(carts[5:])
    assert clear() == "0 expired carts deleted.\n"


def test_it_ends_though_carts_go_on_expiring(
    carts: list[ObjectId], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiring, "_BATCH", 2)
    batches = expiring.delete_expired()
    deleted = [next(batches)]
    time.sleep(0.005)
    expired = {"$set": {"expires_at": utc_now()}}  # after the start: they are for the next run
    collection(ShoppingCart).update_many({"_id": {"$in": carts[5:]}}, expired)
    deleted += batches
    assert (deleted, stored()) == ([2, 2, 1], set(carts[5:]))
