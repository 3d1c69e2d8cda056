"""`backup` and `restore`: one file, whole or not there, and a store that is as it was."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any, Final

import bson
import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from catalog.documents import ImportChunk, Product
from ecommerce.core.backups import BackupFile, restoring
from ecommerce.core.backups.sources import ServerSource
from ecommerce.core.document_classes import documents
from ecommerce.core.indexes import ensure_indexes
from ecommerce.core.mongo import collection, uses_embedded_store
from tests.client import Person
from tests.faults import FAULT_FILE, die_where_told
from tests.live.server import ROOT, serve
from tests.operations import recorded

KILLED: Final = -9
CHUNKS: Final = "import_chunks"
needs_a_server = pytest.mark.skipif(
    uses_embedded_store(), reason="needs a MongoDB over the wire (MONGODB_URI)"
)


class Shop:
    """An embedded store in a folder, and the commands that are run on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "store.sqlite3"
        self.backup = folder / "shop.backup"
        self.dies_at = folder / "dies-at"

    def manage(self, *command: str) -> tuple[int, str]:
        """Exit code, and all that was said, in this process."""
        out = StringIO()
        with override_settings(STORE_PATH=self.store, MONGODB_URI="", REDIS_URL=""):
            try:
                call_command(*command, stdout=out)
            except CommandError as refusal:
                return refusal.returncode, f"{out.getvalue()}{refusal}"
        return 0, out.getvalue()

    def done(self, *command: str) -> str:
        """What a command said that must succeed."""
        code, said = self.manage(*command)
        assert code == 0, said
        return said

    def process(self, *command: str) -> subprocess.Popen[str]:
        """A command in a process of its own, that may be killed at a checkpoint."""
        environment = {
            **{name: value for name, value in os.environ.items() if name != "MONGODB_URI"},
            "DJANGO_SETTINGS_MODULE": "tests.core.killable_settings",
            "STORE_PATH": str(self.store),
            "CHECKPOINT": f"{die_where_told.__module__}.{die_where_told.__name__}",
            FAULT_FILE: str(self.dies_at),
        }
        return subprocess.Popen(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def ended(self, *command: str) -> tuple[int, str]:
        """Exit code and output of a process."""
        with self.process(*command) as running:
            said, _ = running.communicate()
            return running.returncode, said

    def content(self) -> dict[str, Any]:
        """The digests of what is stored now."""
        path = self.folder / "look.backup"
        self.done("backup", str(path), "--yes")
        return dict(BackupFile(path).manifest)

    def change(self) -> dict[str, Any]:
        """Something is sold; the digests afterwards."""
        with closing(sqlite3.connect(self.store)) as connection:
            connection.execute("DELETE FROM documents WHERE rowid % 7 = 0")
            connection.commit()
        return self.content()


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with some of everything, and its backup."""
    shop = Shop(tmp_path_factory.mktemp("seeded"))
    code, said = shop.ended("seed", "--products", "30", "--users", "3", "--carts", "2")
    assert code == 0, said
    shop.done("backup", str(shop.backup))
    return shop.folder


@pytest.fixture
def shop(seeded: Path, tmp_path: Path) -> Iterator[Shop]:
    """A copy of it."""
    for name in ("store.sqlite3", "shop.backup"):
        shutil.copyfile(seeded / name, tmp_path / name)
    yield Shop(tmp_path)
    assert not list(tmp_path.glob(".*.draft*")), "no draft is left lying about"


def test_a_store_comes_back_as_it_was(shop: Shop) -> None:
    before = shop.content()
    assert before["products"].documents == 30
    shop.store.unlink()
    said = shop.done("restore", str(shop.backup))
    assert said.startswith(f"Restored {BackupFile(shop.backup).documents} documents of 20")
    assert shop.content() == before
    with closing(sqlite3.connect(shop.store)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        assert tables.isdisjoint({"backup", "manifest"})
        assert connection.execute("SELECT COUNT(*) FROM indexes").fetchone()[0] > 10


def test_where_redis_could_not_be_told_a_restore_says_what_that_means(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "everything_changed", lambda: False)
    assert shop.done("restore", str(shop.backup), "--yes").endswith(
        "\nRedis does not answer: what was kept before may be shown for up to 5 minutes. "
        "Start the servers later than that, or make it void: docs/backup.md says how.\n"
    )


def test_a_restored_store_is_opened_and_keeps_every_rule(shop: Shop) -> None:
    shop.done("restore", str(shop.backup), "--yes")
    code, said = shop.ended("verify_invariants")
    assert code == 0, said
    assert "30 rows" in said


def test_what_came_after_the_backup_is_gone(shop: Shop) -> None:
    before = shop.content()
    assert shop.change() != before
    shop.done("restore", str(shop.backup), "--yes")
    assert shop.content() == before


def test_nothing_is_overwritten_without_a_yes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    before, file = shop.change(), shop.backup.read_bytes()
    monkeypatch.setattr("sys.stdin", StringIO("n\n\n"))
    for command in ("backup", "restore"):
        code, said = shop.manage(command, str(shop.backup))
        assert code == 1
        assert "Nothing was changed. Add --yes to skip this question." in said
    assert shop.content() == before
    assert shop.backup.read_bytes() == file


def test_a_backup_is_its_owners_alone(shop: Shop) -> None:
    shop.done("backup", str(shop.folder / "new.backup"))
    assert (shop.folder / "new.backup").stat().st_mode & 0o777 == 0o600


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9000])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = data.index(b"currency")
    data[at + 10] ^= 1
    path.write_bytes(data)


def drop(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM documents WHERE namespace = 'ecommerce.users'")


def add(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO documents VALUES ('ecommerce.secret', x'01', x'01')")


def text(path: Path) -> None:
    path.write_text("not a database, but long enough to look at" * 50)


@pytest.mark.parametrize("damage", [cut, flip, drop, add, text])
def test_a_damaged_backup_is_refused_and_nothing_is_changed(shop: Shop, damage: Any) -> None:
    before = shop.content()
    damage(shop.backup)
    for command in (("backup", "--verify"), ("restore", "--yes")):
        code, said = shop.manage(*command, str(shop.backup))
        assert code == 1
        assert "damaged" in said
        assert "Traceback" not in said
    assert shop.content() == before


def test_a_store_is_no_backup_and_a_missing_file_is_named(shop: Shop) -> None:
    code, said = shop.manage("restore", str(shop.store), "--yes")
    assert (code, "is no backup" in said) == (1, True)
    code, said = shop.manage("restore", str(shop.folder / "nothing"))
    assert (code, f"There is no file {shop.folder / 'nothing'}." in said) == (1, True)


def test_an_empty_place_has_nothing_to_back_up(shop: Shop) -> None:
    shop.store.unlink()
    code, said = shop.manage("backup", str(shop.folder / "new.backup"))
    assert (code, "nothing to back up" in said) == (1, True)
    assert not (shop.folder / "new.backup").exists()


def test_a_place_that_cannot_be_written_is_named(shop: Shop) -> None:
    code, said = shop.manage("backup", str(shop.folder / "no" / "such" / "folder.backup"))
    assert (code, "cannot be written: No such file or directory." in said) == (1, True)


@pytest.mark.parametrize("step", ["restore.written", "restore.replaced"])
def test_a_killed_restore_leaves_the_old_store_or_the_new_one(shop: Shop, step: str) -> None:
    restored = shop.content()
    old = shop.change()
    shop.dies_at.write_text(step, encoding="ascii")
    code, _ = shop.ended("restore", str(shop.backup), "--yes")
    assert code == KILLED
    assert shop.content() == (old if step == "restore.written" else restored)
    shop.done("restore", str(shop.backup), "--yes")
    assert shop.content() == restored
    for draft in shop.folder.glob(".*.draft*"):  # kill -9 cleans up nothing
        draft.unlink()


def test_a_damaged_store_is_replaced(shop: Shop) -> None:
    before = shop.content()
    shop.store.write_bytes(b"SQLite format 3\0" + b"rubbish" * 3000)
    code, said = shop.manage("restore", str(shop.backup), "--yes")
    assert code == 0, said
    assert shop.content() == before


@pytest.mark.slow
def test_a_backup_of_a_running_shop_shows_one_moment(shop: Shop) -> None:
    """Each step of the load moves one piece from one product to another."""
    path = shop.folder / "live.backup"
    with serve({"STORE_PATH": str(shop.store)}) as server:
        staff = server.sign_in("staff", "staff-shop-2026")
        body = {"name": "Half", "price": 1, "quantity": 5000}
        ids = [staff.send("POST", "/products/", body).json()["id"] for _ in range(2)]
        moved, seen = 0, set()
        for _ in range(3):
            with shop.process("backup", str(path), "--yes") as running:
                while running.poll() is None:
                    moved += 1
                    for one, quantity in zip(ids, (5000 - moved, 5000 + moved), strict=True):
                        change = {"quantity": quantity}
                        assert staff.send("PATCH", f"/products/{one}", change).status == 200
            assert running.returncode == 0
            seen.add(_in_stock(path, ids))
        code, said = shop.ended("restore", str(shop.backup), "--yes")
        assert (code, "is in use by process" in said) == (1, True)
        assert staff.send("GET", f"/products/{ids[0]}").json()["quantity"] == 5000 - moved
    assert moved > 20
    assert seen <= {10_000, 9_999}, "between two writes, at most"


def _in_stock(path: Path, ids: list[str]) -> int:
    rows = map(bson.decode, BackupFile(path).bodies("products"))
    return sum(row["quantity"] for row in rows if str(row["_id"]) in ids)


def test_a_server_is_asked_for_no_count_that_looks_at_every_document(alice: Person) -> None:
    with recorded() as seen:
        counts = ServerSource().counts()
    assert (counts["users"], counts["shopping_carts"]) == (1, 0)
    assert {operation.kind for operation in seen} == {"count", "find"}, "find: is it empty?"


def test_a_collection_is_emptied_in_deletes_that_are_each_over_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(restoring, "_EMPTIED_AT_ONCE", 2)
    rows = collection(Product)
    rows.insert_many([{"_id": number, "skus": [f"sku-{number}"]} for number in range(5)])
    with recorded() as seen:
        restoring._empty(rows)
    deleted = [one.filter["_id"]["$in"] for one in seen if one.kind == "delete"]
    assert [len(ids) for ids in deleted] == [2, 2, 1]
    assert rows.count_documents({}) == 0


@needs_a_server
def test_large_documents_are_read_and_written_few_at_a_time(tmp_path: Path) -> None:
    """A piece of an import's file has 256 KiB: 500 of them took longer than a read may."""
    piece = 256 * 1024
    for number in range(60):
        row = {"_id": number, "file_id": 1, "number": number, "data": b"x" * piece}
        collection(ImportChunk).insert_one(row)
    path = tmp_path / "shop.backup"
    with recorded() as seen:
        call_command("backup", str(path), stdout=StringIO())
    limits = [one.limit for one in seen if (one.collection, one.kind) == (CHUNKS, "find")]
    assert max(limits) * piece <= 4 * 1024 * 1024
    with recorded() as seen:
        call_command("restore", str(path), "--yes", stdout=StringIO())
    writes = [one for one in seen if (one.collection, one.kind) == (CHUNKS, "insert")]
    assert len(writes) == 4
    assert collection(ImportChunk).count_documents({}) == 60


@needs_a_server
def test_small_documents_are_read_many_at_a_time(tmp_path: Path) -> None:
    collection(Product).insert_many([{"_id": n, "skus": [f"sku-{n}"]} for n in range(1200)])
    with recorded() as seen:
        call_command("backup", str(tmp_path / "shop.backup"), stdout=StringIO())
    limits = [one.limit for one in seen if (one.collection, one.kind) == ("products", "find")]
    assert [limit for limit in limits if limit > 1] == [500, 500, 500, 500]


@needs_a_server
def test_a_server_is_filled_as_it_was(tmp_path: Path, alice: Person, lamp: Any) -> None:
    for number in range(450):
        collection(Product).insert_one({"_id": number, "skus": [f"sku-{number}"]})
    path = tmp_path / "shop.backup"
    said = StringIO()
    call_command("backup", str(path), stdout=said)
    assert "451" in said.getvalue()
    collection(Product).delete_many({"_id": {"$lt": 100}})
    collection(Product).insert_one({"_id": "later"})
    call_command("restore", str(path), "--yes", stdout=StringIO())
    again = tmp_path / "again.backup"
    call_command("backup", str(again), stdout=StringIO())
    assert BackupFile(again).manifest == BackupFile(path).manifest
    assert "skus_unique" in collection(Product).index_information()
    assert alice.api.get("/users/me")["username"] == "alice"


def test_every_collection_of_the_product_is_in_a_backup(seeded: Path) -> None:
    ensure_indexes()
    ours = {document._get_collection_name() for document in documents()}
    assert BackupFile(seeded / "shop.backup").manifest.keys() <= ours
