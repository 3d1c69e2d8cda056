"""Makes the store what it was when a backup was made."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from bson.raw_bson import RawBSONDocument
from django.conf import settings
from mongoengine.connection import get_db
from pymongo.collection import Collection

from ecommerce.core import mongo
from ecommerce.core.backups.file import Advance, BackupFile
from ecommerce.core.backups.sources import BYTES_AT_ONCE, source
from ecommerce.core.batches import cut
from ecommerce.core.checkpoints import checkpoint
from ecommerce.core.drafts import draft_of, put_in_place
from ecommerce.core.embedded.lock import FileLock
from ecommerce.core.embedded.sqlite_file import SQLiteFile
from ecommerce.core.indexes import ensure_indexes
from ecommerce.core.response_cache.topics import everything_changed

_BATCH: Final = 200
"""Documents of one write, at most."""
_EMPTIED_AT_ONCE: Final = 1000
"""Documents of one delete: it must be over within the time that one operation may take."""


def what_is_stored() -> dict[str, int]:
    """About how many documents a restore would replace, by collection; empty for an empty store."""
    if mongo.uses_embedded_store() and not Path(settings.STORE_PATH).exists():
        return {}
    with source() as stored:
        return {name: count for name, count in stored.counts().items() if count}


def restore(backup: BackupFile, advance: Advance) -> bool:
    """Replace what is stored by the backup, which must be verified already.

    The embedded store is replaced in one step. A server gets the collections one after the other:
    who is interrupted there begins again.

    Returns:
        Whether nothing that was kept before will be shown (see `everything_changed`).

    Raises:
        StoreLockedError: a server has the embedded store open.
        BackupError: the backup cannot be read any more.
    """
    work: Callable[[BackupFile, Advance], None] = (
        _replace_file if mongo.uses_embedded_store() else _fill_server
    )
    work(backup, advance)
    return everything_changed()


def _replace_file(backup: BackupFile, advance: Advance) -> None:
    path = Path(settings.STORE_PATH)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        with draft_of(path) as draft:
            shutil.copyfile(backup.path, draft)
            with closing(sqlite3.connect(draft)) as connection:
                connection.executescript("DROP TABLE backup; DROP TABLE manifest;")
            SQLiteFile(draft).close()  # it is a store, and says so before the old one goes
            advance(backup.documents)
            checkpoint("restore.written")
            _fold(path)
            put_in_place(draft, path)
            checkpoint("restore.replaced")
    finally:
        lock.release()


def _fold(path: Path) -> None:
    """Leave nothing beside the old file that SQLite would take for a part of the new one."""
    if not path.exists():
        return
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    for beside in ("-wal", "-shm"):  # of a store that is damaged, and is to be replaced
        with suppress(FileNotFoundError):
            path.with_name(path.name + beside).unlink()


def _fill_server(backup: BackupFile, advance: Advance) -> None:
    mongo.connect()
    database = get_db()
    for name in {*what_is_stored(), *backup.manifest}:
        _empty(database[name])
        checkpoint("restore.emptied")
    ensure_indexes()
    for name in backup.manifest:
        for batch in cut(backup.bodies(name), count=_BATCH, size=BYTES_AT_ONCE):
            database[name].insert_many([RawBSONDocument(body) for body in batch])
            advance(len(batch))


def _empty(rows: Collection[dict[str, Any]]) -> None:
    """Delete everything, little by little. A dropped collection would lose its shard key."""
    while ids := [row["_id"] for row in rows.find({}, {"_id": 1}).limit(_EMPTIED_AT_ONCE)]:
        rows.delete_many({"_id": {"$in": ids}})
