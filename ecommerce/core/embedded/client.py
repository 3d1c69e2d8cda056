"""mongomock's client and database: one lock, one file, and what an operation keeps or undoes."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from mongomock.database import Database
from mongomock.mongo_client import MongoClient
from pymongo.errors import BulkWriteError

from ecommerce.core.embedded.collection import EmbeddedCollection
from ecommerce.core.embedded.errors import StoreUnopenedError
from ecommerce.core.embedded.lock import FileLock
from ecommerce.core.embedded.sqlite_file import SQLiteFile
from ecommerce.core.embedded.store import FileBackedServerStore, Journal


def open_embedded_client(path: Path, *, tz_aware: bool = True) -> "EmbeddedMongoClient":
    """Open the store in this file, or make it.

    Raises:
        StoreLockedError: another process has it open.
        StoreDamagedError: the file cannot be read; it stays as it is.
        StoreUnopenedError: the file or its folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
    except OSError as fault:
        raise StoreUnopenedError(path, fault.strerror or str(fault)) from None
    try:
        file = SQLiteFile(path)
    except sqlite3.OperationalError as fault:
        lock.release()
        raise StoreUnopenedError(path, str(fault)) from None
    except BaseException:
        lock.release()
        raise
    return EmbeddedMongoClient(file, lock, tz_aware=tz_aware)


class EmbeddedMongoClient(MongoClient):
    """A client whose server is this process and one file."""

    def __init__(self, file: SQLiteFile, file_lock: FileLock, *, tz_aware: bool) -> None:
        store = FileBackedServerStore(file)
        super().__init__(tz_aware=tz_aware, _store=store)
        self.lock = RLock()
        self.file = file
        self.slot = store.slot
        self._file_lock: FileLock | None = file_lock

    def get_database(self, name: str | None = None, **_: Any) -> "EmbeddedDatabase":
        """The database of this name; options make no difference here."""
        key = name or "test"
        if key not in self._database_accesses:
            self._database_accesses[key] = EmbeddedDatabase(
                self, key, _store=self._store[key], codec_options=self._codec_options
            )
        found: EmbeddedDatabase = self._database_accesses[key]
        return found

    @contextmanager
    def writing(self) -> Iterator[Journal]:
        """One operation: alone under the lock, then in the file, or undone when it raises.

        An ordered bulk that fails keeps what came before the failure, as in MongoDB.
        """
        with self.lock:
            outer, inner = self.slot.current, Journal()
            self.slot.current = inner
            try:
                yield inner
            except BulkWriteError:
                self._keep(inner, outer)
                raise
            except BaseException:
                inner.undo()
                raise
            else:
                self._keep(inner, outer)
            finally:
                self.slot.current = outer

    def _keep(self, inner: Journal, outer: Journal | None) -> None:
        """Hand on to the operation that this one is a part of, or write out; memory is never ahead
        of the file."""
        if outer is not None:
            outer.absorb(inner)
            return
        try:
            if changes := inner.settle():
                self.file.save(changes)
        except BaseException:
            inner.undo()
            raise

    def close(self) -> None:
        """Write the file out and let the next process in; safe to repeat."""
        with self.lock:
            if self._file_lock is not None:
                self.file.close()
                self._file_lock.release()
                self._file_lock = None


class EmbeddedDatabase(Database):
    """One database of the embedded store."""

    def get_collection(self, name: str, **_: Any) -> "EmbeddedCollection":
        """The collection of this name; options make no difference here."""
        if name not in self._collection_accesses:
            self._ensure_valid_collection_name(name)
            self._collection_accesses[name] = EmbeddedCollection(
                self, name=name, codec_options=self._codec_options, _db_store=self._store
            )
        found: EmbeddedCollection = self._collection_accesses[name]
        return found

    def drop_collection(self, name_or_collection: Any, session: Any = None) -> None:
        """Forget a collection with its indexes."""
        name = getattr(name_or_collection, "name", name_or_collection)
        with self.client.lock:
            self.client.file.drop(f"{self.name}.{name}")
            super().drop_collection(name, session=session)
