"""A file is replaced by a whole one or not at all, whatever was left by who was killed."""

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from ecommerce.core.drafts import draft_of, put_in_place, written_whole


def export(path: Path, text: str = "new") -> None:
    with written_whole(path) as file:
        file.write(text)


def backup(path: Path, text: str = "new") -> None:
    with draft_of(path) as draft:
        draft.write_text(text, encoding="utf-8")
        put_in_place(draft, path)


WAYS = pytest.mark.parametrize("write", [export, backup])
Write = Callable[[Path], None]


def left_by_killed(path: Path) -> Path:
    """The draft of a process that was killed, and had the id that this one has."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    draft.write_text("half of a longer text", encoding="utf-8")
    return draft


def handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@WAYS
def test_what_a_killed_process_of_the_same_id_has_left_is_in_nobodys_way(
    write: Write, tmp_path: Path
) -> None:
    path = tmp_path / "products.csv"
    left_by_killed(path)
    write(path)
    assert path.read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


@WAYS
def test_a_link_in_the_place_of_the_draft_is_not_written_through(
    write: Write, tmp_path: Path
) -> None:
    path, other = tmp_path / "products.csv", tmp_path / "other"
    other.write_text("somebody's", encoding="utf-8")
    path.with_name(f".{path.name}.{os.getpid()}.draft").symlink_to(other)
    write(path)
    assert other.read_text(encoding="utf-8") == "somebody's"


def test_what_sqlite_had_beside_the_draft_of_a_killed_process_is_no_part_of_the_new_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store.sqlite3"
    left = left_by_killed(path)
    for beside in ("-wal", "-shm", "-journal"):
        left.with_name(left.name + beside).write_bytes(b"left")
    with draft_of(path) as draft:
        assert list(tmp_path.iterdir()) == [draft]
        with closing(sqlite3.connect(draft)) as connection:
            connection.execute("CREATE TABLE t (x)")


@pytest.mark.parametrize("opened", [written_whole, draft_of])
def test_a_fault_leaves_the_old_file_and_no_draft(
    opened: Callable[[Path], AbstractContextManager[object]], tmp_path: Path
) -> None:
    path = tmp_path / "products.csv"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError), opened(path):
        raise RuntimeError
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@WAYS
def test_the_file_is_on_the_disk_before_it_has_its_name_and_its_name_before_it_is_said(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, bool]] = []
    path = tmp_path / "products.csv"

    def sync(handle: int) -> None:
        place = Path(f"/proc/self/fd/{handle}").readlink()
        synced.append(("folder" if place == tmp_path else "draft", path.exists()))

    monkeypatch.setattr("os.fsync", sync)
    write(path)
    assert synced == [("draft", False), ("folder", True)]


@WAYS
def test_a_disk_that_fails_is_said_of_the_file_and_holds_no_handle(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    path = tmp_path / "products.csv"
    before = handles()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="Input/output error") as refused:
        write(path)
    assert refused.value.filename == str(path)
    assert handles() == before
    assert list(tmp_path.iterdir()) == []


@WAYS
def test_a_folder_that_is_not_there_is_said_of_the_file(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "no" / "products.csv"
    with pytest.raises(FileNotFoundError) as refused:
        write(path)
    assert refused.value.filename == str(path)


def test_an_export_may_be_read_as_any_file_and_as_the_one_before_it(tmp_path: Path) -> None:
    new, old = tmp_path / "new.csv", tmp_path / "old.csv"
    old.touch()
    old.chmod(0o640)
    mask = os.umask(0o022)
    try:
        export(new)
        export(old)
    finally:
        os.umask(mask)
    assert (new.stat().st_mode & 0o777, old.stat().st_mode & 0o777) == (0o644, 0o640)


def test_a_backup_may_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "shop.backup"
    left_by_killed(path).chmod(0o666)
    backup(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_export_goes_to_where_a_link_leads(tmp_path: Path) -> None:
    path, link = tmp_path / "products.csv", tmp_path / "link.csv"
    path.touch()
    link.symlink_to(path)
    export(link)
    assert link.is_symlink()
    assert path.read_text(encoding="utf-8") == "new"
