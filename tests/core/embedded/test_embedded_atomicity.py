"""What the embedded store does happens whole or not at all, whatever other threads do."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError

from ecommerce.core.embedded import EmbeddedMongoClient
from tests.core.embedded.stores import reopened


def run_all(works: list[Callable[[], Any]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_never_oversell(things: Any) -> None:
    for _ in range(20):
        things.delete_many({})
        things.insert_one({"_id": 1, "stock": 10})
        sold: list[Any] = []

        def buy(sold: list[Any] = sold) -> None:
            sold.append(
                things.find_one_and_update(
                    {"_id": 1, "stock": {"$gte": 1}}, {"$inc": {"stock": -1}}
                )
            )

        run_all([buy] * 16)
        assert things.find_one({"_id": 1})["stock"] == 0
        assert len([row for row in sold if row]) == 10


def test_find_one_and_update_raises_the_item_that_the_filter_names(things: Any) -> None:
    things.insert_one({"_id": 1, "items": [{"p": "a", "q": 1}, {"p": "b", "q": 1}]})
    row = things.find_one_and_update(
        {
            "_id": 1,
            "items.p": "b",
            "$nor": [{"items": {"$elemMatch": {"p": "b", "q": {"$gt": 9}}}}],
        },
        {"$inc": {"items.$.q": 4}},
        return_document=ReturnDocument.AFTER,
    )
    assert [item["q"] for item in row["items"]] == [1, 5]


@pytest.mark.parametrize(
    "update",
    [
        {"$set": {"name": "new"}, "$push": {"name": 1}},
        {"$inc": {"n": 5}, "$pop": {"name": 1}},
        {"$set": {"name": "new", "_id": 2}},
        {"$set": {"name": "new", "sku": "taken"}},
    ],
)
def test_an_update_that_fails_half_way_changes_nothing(
    client: EmbeddedMongoClient, path: Path, things: Any, update: dict[str, Any]
) -> None:
    things.create_index("sku", unique=True, name="sku")
    things.insert_many(
        [{"_id": 1, "name": "old", "n": 1, "sku": "mine"}, {"_id": 9, "sku": "taken"}]
    )
    before = things.find_one({"_id": 1})
    with pytest.raises(Exception):  # noqa: B017 - whatever mongomock makes of it
        things.update_one({"_id": 1}, update)
    assert things.find_one({"_id": 1}) == before
    assert reopened(client, path)["shop"]["things"].find_one({"_id": 1}) == before


def test_an_update_of_many_that_clashes_changes_none(things: Any) -> None:
    things.create_index("sku", unique=True, name="sku")
    things.insert_many([{"_id": number, "sku": str(number)} for number in range(5)])
    with pytest.raises(DuplicateKeyError):
        things.update_many({}, {"$set": {"sku": "same"}})
    assert sorted(row["sku"] for row in things.find({})) == list("01234")


def test_an_ordered_bulk_keeps_what_came_before_the_failure(things: Any) -> None:
    with pytest.raises(BulkWriteError) as failure:
        things.insert_many([{"_id": 1}, {"_id": 2}, {"_id": 1}, {"_id": 3}])
    assert failure.value.details["nInserted"] == 2
    assert sorted(row["_id"] for row in things.find({})) == [1, 2]


def test_a_write_that_cannot_reach_the_file_is_undone(
    client: EmbeddedMongoClient, things: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    things.insert_one({"_id": 1, "n": 1})

    def full(_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(client.file, "save", full)
    writes: list[Callable[[], Any]] = [
        lambda: things.update_one({"_id": 1}, {"$inc": {"n": 1}}),
        lambda: things.delete_one({"_id": 1}),
        lambda: things.insert_one({"_id": 2}),
    ]
    for write in writes:
        with pytest.raises(OSError, match="disk full"):
            write()
    assert list(things.find({})) == [{"_id": 1, "n": 1}]


def test_a_bulk_that_clashes_and_cannot_reach_the_file_is_undone_too(
    client: EmbeddedMongoClient, path: Path, things: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    things.insert_one({"_id": 1, "n": 1})

    def full(_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as disk:
        disk.setattr(client.file, "save", full)
        with pytest.raises(sqlite3.OperationalError, match="is full"):
            things.insert_many([{"_id": 2}, {"_id": 1}])
    assert list(things.find({})) == [{"_id": 1, "n": 1}]
    things.insert_one({"_id": 2, "n": 2})
    kept = list(reopened(client, path)["shop"]["things"].find({}))
    assert kept == [{"_id": 1, "n": 1}, {"_id": 2, "n": 2}]


def test_what_is_returned_is_a_copy(things: Any) -> None:
    given_document = {"_id": 1, "tags": ["a"]}
    things.insert_one(given_document)
    given_document["tags"].append("b")  # type: ignore[attr-defined]
    things.find_one({})["tags"].append("c")
    assert things.find_one({}) == {"_id": 1, "tags": ["a"]}


def test_a_reader_sees_one_moment_while_others_write(things: Any) -> None:
    things.insert_many([{"_id": number, "n": 0} for number in range(200)])
    done = threading.Event()
    mixed: list[set[int]] = []

    def read() -> None:
        while not done.is_set():
            seen = {row["n"] for row in things.find({})}
            if len(seen) > 1:
                mixed.append(seen)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(30):
        things.update_many({}, {"$inc": {"n": 1}})
    done.set()
    reader.join()
    assert mixed == []


def test_a_projection_shared_by_threads_stays_as_it_is(things: Any) -> None:
    things.insert_one({"_id": 1, "a": 1, "b": 2})
    shared = {"a": 1}
    run_all([lambda: things.find_one({"_id": 1}, shared)] * 16)
    assert shared == {"a": 1}
