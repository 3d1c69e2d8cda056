"""The embedded store in one process: atomic, durable, exclusive, indexed."""

import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any

import mongomock
import pytest
from bson import Int64, ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure

from ecommerce.core.embedded import (
    EmbeddedMongoClient,
    StoreDamagedError,
    StoreLockedError,
    open_embedded_client,
)

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def client(path: Path) -> Iterator[EmbeddedMongoClient]:
    opened = open_embedded_client(path)
    yield opened
    opened.close()


@pytest.fixture
def things(client: EmbeddedMongoClient) -> Any:
    return client["shop"]["things"]


def reopened(client: EmbeddedMongoClient, path: Path) -> EmbeddedMongoClient:
    client.close()
    return open_embedded_client(path)


def run_all(works: list[Callable[[], Any]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- durable --------------------------------------------------------------------------------


def test_everything_is_there_after_reopening(
    client: EmbeddedMongoClient, path: Path, things: Any
) -> None:
    document = {
        "_id": ObjectId(), "big": Int64(2**40), "at": datetime(2026, 1, 2, 3, 4, 5, 678999, UTC),
        "nested": {"list": [1, {"a": None}], "text": "ü"}, "number": 1.5, "flag": True,
    }  # fmt: skip
    things.insert_one(document)
    before = things.find_one({})
    things.insert_one({"_id": "second"})
    things.delete_one({"_id": "second"})
    after = reopened(client, path)["shop"]["things"]
    assert after.find_one({}) == before
    assert before["at"] == datetime(2026, 1, 2, 3, 4, 5, 678000, UTC), "BSON keeps milliseconds"
    assert after.count_documents({}) == 1


WRITER = """
import sys
from pathlib import Path
from ecommerce.core.embedded import open_embedded_client
things = open_embedded_client(Path(sys.argv[1]))["shop"]["things"]
for number in range(1000):
    things.insert_one({"_id": number, "n": 0})
    things.update_one({"_id": number}, {"$inc": {"n": 1}})
    if number % 10 == 5:
        things.delete_one({"_id": number - 1})
    print(number, flush=True)
"""


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize("way", ["update", "replace", "upsert"])
def test_what_an_update_brings_in_is_at_once_as_it_is_after_reopening(
    way: str, client: EmbeddedMongoClient, path: Path, things: Any
) -> None:
    zone = timezone(timedelta(hours=2))
    brought = {
        "at": datetime(2026, 1, 2, 3, 4, 5, 678999, zone), "colour": Colour.RED, "pair": (1, 2),
        "lines": [{"colour": Colour.RED, "at": datetime(2026, 1, 2, tzinfo=zone)}], "big": 2**40,
    }  # fmt: skip
    if way != "upsert":
        things.insert_one({"_id": 1, "big": 1})
    if way == "replace":
        things.replace_one({"_id": 1}, brought)
    else:
        things.update_one({"_id": 1}, {"$set": brought}, upsert=way == "upsert")
    before = things.find_one({"_id": 1})
    after = reopened(client, path)["shop"]["things"].find_one({"_id": 1})
    assert repr(before) == repr(after), "types too"
    brought["lines"][0]["colour"] = "blue"  # type: ignore[index]  # it is the caller's own
    assert before["lines"][0]["colour"] == "red"


@pytest.mark.parametrize("survivors", [50, 400])
def test_kill_9_loses_nothing_that_was_answered(path: Path, survivors: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) >= survivors:
                writer.send_signal(signal.SIGKILL)
                break
        answered = [int(line) for line in writer.stdout] or [survivors]
    last = answered[-1]
    client = open_embedded_client(path)
    stored = {row["_id"]: row["n"] for row in client["shop"]["things"].find({})}
    client.close()
    expected = {n for n in range(last + 1) if not (n % 10 == 4 and n < last)}
    assert expected <= stored.keys()
    assert all(stored[number] == 1 for number in expected)
    assert not [n for n in stored if n % 10 == 4 and n < last - 1], "deletes are not undone"


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"this is no database, but it is long enough to be one" * 20,
        lambda content: content[: len(content) // 2],
        lambda content: content[:4096] + os.urandom(8192) + content[12288:],
        lambda content: content.replace(b"\x02name\x00", b"\xffname\x00"),
    ],
    ids=["not-sqlite", "truncated", "overwritten", "broken-bson"],
)
def test_a_damaged_file_is_refused_and_not_touched(
    client: EmbeddedMongoClient, path: Path, things: Any, damage: Callable[[bytes], bytes]
) -> None:
    things.insert_many([{"_id": number, "name": "x" * 200} for number in range(200)])
    client.close()
    broken = damage(path.read_bytes())
    path.write_bytes(broken)
    with pytest.raises(StoreDamagedError, match=r"cannot be read: .+ was not changed"):
        open_embedded_client(path)
    assert path.read_bytes() == broken


# --- exclusive ------------------------------------------------------------------------------


def test_a_second_process_is_told_who_holds_the_store(
    client: EmbeddedMongoClient, path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from ecommerce.core.embedded import open_embedded_client, StoreLockedError\n"
        "try: open_embedded_client(Path(sys.argv[1]))\n"
        "except StoreLockedError as locked: print(locked)"
    )
    second = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"in use by process {os.getpid()}" in second.stdout
    assert "MONGODB_URI" in second.stdout


def test_closing_lets_the_next_one_in(client: EmbeddedMongoClient, path: Path) -> None:
    with pytest.raises(StoreLockedError):
        open_embedded_client(path)
    client.close()
    open_embedded_client(path).close()


# --- atomic ---------------------------------------------------------------------------------


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


# --- indexes --------------------------------------------------------------------------------

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


# --- the same answers as mongomock -------------------------------------------------------------

values = st.one_of(st.none(), st.integers(0, 3), st.sampled_from(["a", "b"]), st.booleans())
keys = st.integers(0, 4)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), keys, values),
        st.tuples(st.just("set"), keys, values),
        st.tuples(st.just("set_where"), values, values),
        st.tuples(st.just("unset"), keys, st.none()),
        st.tuples(st.just("push"), keys, values),
        st.tuples(st.just("delete"), keys, st.none()),
        st.tuples(st.just("delete_where"), values, st.none()),
        st.tuples(st.just("upsert"), keys, values),
        st.tuples(st.just("modify"), keys, values),
        st.tuples(st.just("modify_or_make"), keys, values),
        st.tuples(st.just("modify_where"), values, values),
        st.tuples(st.just("take_where"), values, st.none()),
    ),
    max_size=25,
)


def apply(collection: Any, name: str, key: Any, value: Any) -> Any:
    to_value = {"$set": {"v": value}}

    def modified(where: Any, **options: Any) -> Any:
        return collection.find_one_and_update(where, to_value, **options)

    works: dict[str, Callable[[], Any]] = {
        "insert": lambda: collection.insert_one({"_id": key, "v": value, "list": []}).inserted_id,
        "set": lambda: collection.update_one({"_id": key}, to_value).matched_count,
        "set_where": lambda: collection.update_many({"v": key}, to_value).matched_count,
        "unset": lambda: collection.update_one({"_id": key}, {"$unset": {"v": ""}}).matched_count,
        "push": lambda: collection.update_one({"_id": key}, {"$push": {"list": value}}).raw_result,
        "delete": lambda: collection.delete_one({"_id": key}).deleted_count,
        "delete_where": lambda: collection.delete_many({"v": key}).deleted_count,
        "modify": lambda: modified({"_id": key}, return_document=ReturnDocument.AFTER),
        "modify_or_make": lambda: modified(
            {"_id": key}, upsert=True, return_document=ReturnDocument.AFTER
        ),
        "modify_where": lambda: modified({"v": key}, sort=[("_id", 1)]),
        "take_where": lambda: collection.find_one_and_delete({"v": key}, sort=[("_id", 1)]),
        "upsert": lambda: collection.update_one({"_id": key}, to_value, upsert=True).upserted_id,
    }
    try:
        result = works[name]()
    except DuplicateKeyError:
        return "duplicate"
    return result["n"] if name == "push" else result


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=operations)
def test_any_sequence_of_operations_ends_like_in_mongomock(
    steps: list[tuple[str, Any, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("store") / "store.sqlite3"
    client = open_embedded_client(path)
    theirs: Any
    ours, theirs = client["shop"]["things"], mongomock.MongoClient()["shop"]["things"]
    ours.create_index("v", name="v")
    for step in steps:
        assert apply(ours, *step) == apply(theirs, *step), step
    expected = sorted(theirs.find({}), key=str)
    assert sorted(ours.find({}), key=str) == expected
    for value in (None, 0, 1, "a", True):
        assert ours.count_documents({"v": value}) == theirs.count_documents({"v": value})
    client = reopened(client, path)
    assert sorted(client["shop"]["things"].find({}), key=str) == expected
    client.close()
