"""The file of the embedded store keeps what was answered, and belongs to one process."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from bson import Int64, ObjectId

from ecommerce.core.embedded import (
    EmbeddedMongoClient,
    StoreDamagedError,
    StoreLockedError,
    StoreUnopenedError,
    open_embedded_client,
)
from tests.core.embedded.stores import reopened

ROOT = Path(__file__).resolve().parents[3]
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


@pytest.mark.parametrize("place", ["a-file/store.sqlite3", "a-folder"])
def test_a_place_where_nothing_can_be_written_is_said_with_what_to_do(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / "a-file").touch()
    (tmp_path / "a-folder").mkdir()
    with pytest.raises(
        StoreUnopenedError, match=r"cannot be opened: .+\. Set STORE_PATH to a file"
    ):
        open_embedded_client(tmp_path / place)
