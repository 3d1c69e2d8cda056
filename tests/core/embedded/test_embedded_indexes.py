"""Indexes of the embedded store: unique, with an expiry, kept over a restart, and fast."""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError, OperationFailure

from ecommerce.core.embedded import EmbeddedMongoClient
from tests.core.embedded.stores import reopened

PARTIAL = {"partialFilterExpression": {"sku": {"$type": "string"}}}


def test_a_unique_index_survives_a_restart(
    client: EmbeddedMongoClient, path: Path, things: Any
) -> None:
    things.create_index([("sku", 1)], name="sku", unique=True, **PARTIAL)
    things.create_index([("sku", 1)], name="sku", unique=True, **PARTIAL)
    things.insert_many([{"sku": "a"}, {}, {}])
    again = reopened(client, path)["shop"]["things"]
    assert (
        again.index_information()["sku"]["partialFilterExpression"]
        == PARTIAL["partialFilterExpression"]
    )
    with pytest.raises(DuplicateKeyError):
        again.insert_one({"sku": "a"})
    again.insert_one({})


def test_a_unique_index_is_refused_while_documents_clash(things: Any) -> None:
    things.insert_many([{"sku": "a"}, {"sku": "a"}])
    with pytest.raises(DuplicateKeyError):
        things.create_index("sku", name="sku", unique=True)
    assert "sku" not in things.index_information()


def test_an_index_of_one_name_has_one_definition(things: Any) -> None:
    things.create_index("a", name="x")
    with pytest.raises(OperationFailure):
        things.create_index("b", name="x")


def test_a_freed_value_may_be_used_again(things: Any) -> None:
    things.create_index("sku", name="sku", unique=True)
    things.insert_one({"_id": 1, "sku": "a"})
    things.update_one({"_id": 1}, {"$set": {"sku": "b"}})
    things.insert_one({"_id": 2, "sku": "a"})
    things.delete_one({"_id": 2})
    things.insert_one({"_id": 3, "sku": "a"})
    assert things.find_one({"sku": "b"})["_id"] == 1


def test_a_ttl_index_survives_a_restart(
    client: EmbeddedMongoClient, path: Path, things: Any
) -> None:
    things.create_index("expires_at", name="ttl", expireAfterSeconds=0)
    now = datetime.now(UTC)
    things.insert_one({"_id": 1, "expires_at": now - timedelta(seconds=1)})
    things.insert_one({"_id": 2, "expires_at": now + timedelta(days=1)})
    again = reopened(client, path)
    assert [row["_id"] for row in again["shop"]["things"].find({})] == [2]
    final = reopened(again, path)
    assert [namespace for namespace, _ in final.file.documents()] == ["shop.things"]


def test_dropping_a_collection_forgets_it(
    client: EmbeddedMongoClient, path: Path, things: Any
) -> None:
    things.create_index("sku", name="sku")
    things.insert_one({})
    things.drop()
    again = reopened(client, path)["shop"]["things"]
    assert (again.count_documents({}), again.index_information()) == (0, {})


def test_lookups_at_10000_documents_take_less_than_a_millisecond(things: Any) -> None:
    things.create_index("sku", name="sku", unique=True)
    things.insert_many([{"_id": number, "sku": f"s{number}", "n": 0} for number in range(10_000)])

    def median_ms(work: Callable[[], Any]) -> float:
        times = []
        for _ in range(51):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
        return statistics.median(times) * 1000

    assert median_ms(lambda: things.find_one({"_id": 5000})) < 1
    assert median_ms(lambda: things.find_one({"sku": "s5000"})) < 1
    assert median_ms(lambda: things.update_one({"_id": 5000, "n": 0}, {"$set": {"x": 1}})) < 1
    assert median_ms(lambda: things.find_one_and_update({"_id": 5000}, {"$inc": {"n": 1}})) < 2, (
        "with the write to the file"
    )
