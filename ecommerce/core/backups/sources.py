"""Where the rows of a backup come from: the file of the embedded store, or a MongoDB."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from django.conf import settings
from mongoengine.connection import get_db
from pymongo.collection import Collection

from ecommerce.core import mongo
from ecommerce.core.backups.errors import BackupError
from ecommerce.core.batches import one_by_one
from ecommerce.core.document_classes import documents

BYTES_AT_ONCE: Final = 4 * 1024 * 1024
"""About, of one read or write: it must be over within the time that one operation may take."""
_BATCH: Final = 500
"""Documents of one read, at most."""


@dataclass(frozen=True, slots=True)
class StoredIndex:
    """An index as the embedded store keeps it."""

    collection: str
    name: str
    body: bytes


class Source(Protocol):
    """What can be backed up."""

    kind: str

    def counts(self) -> dict[str, int]:
        """About how many documents there are in each collection; none for an empty one alone."""

    def documents(self, collection: str) -> Iterator[bytes]:
        """Every document of a collection, as BSON."""

    def indexes(self) -> Sequence[StoredIndex]:
        """Index definitions, where they are a part of what is stored."""


@contextmanager
def source() -> Iterator[Source]:
    """The store of the settings.

    Raises:
        BackupError: there is none.
    """
    if not mongo.uses_embedded_store():
        mongo.connect()
        yield ServerSource()
        return
    path = Path(settings.STORE_PATH)
    if not path.exists():
        raise BackupError(f"There is no store in {path} yet: nothing to back up.")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        connection.isolation_level = None
        connection.execute("BEGIN")  # all reads see the moment of the first, whoever writes
        yield EmbeddedSource(connection)
    except sqlite3.DatabaseError as fault:
        raise BackupError(f"The store {path} cannot be read: {fault}.") from None
    finally:
        connection.close()


class EmbeddedSource:
    """The file of the embedded store. A server may have it open, and go on writing."""

    kind = "embedded"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def counts(self) -> dict[str, int]:
        """Of one moment, as all that follows."""
        rows = self._connection.execute("SELECT namespace, COUNT(*) FROM documents GROUP BY 1")
        return {_collection_of(namespace): count for namespace, count in rows}

    def documents(self, collection: str) -> Iterator[bytes]:
        """In the order of their insertion."""
        return bodies(self._connection, collection)

    def indexes(self) -> list[StoredIndex]:
        """All of them: a TTL index belongs to what was there."""
        rows = self._connection.execute("SELECT namespace, name, body FROM indexes ORDER BY rowid")
        return [StoredIndex(_collection_of(space), name, body) for space, name, body in rows]


class ServerSource:
    """The collections of the product in a MongoDB.

    Each document is whole; of what is written meanwhile some may be there and some not.
    """

    kind = "mongodb"

    def counts(self) -> dict[str, int]:
        """About, as the server has noted them: to count a large collection takes too long."""
        ours = {str(document._get_collection_name()) for document in documents()}
        names = sorted(ours & set(get_db().list_collection_names()))
        return {name: _about(get_db()[name]) for name in names}

    def documents(self, collection: str) -> Iterator[bytes]:
        """In the order of their ids, in reads that are each over soon."""
        raw = get_db()[collection].with_options(CodecOptions(document_class=RawBSONDocument))
        return (row.raw for row in one_by_one(raw, {}, size=_at_once(collection)))

    def indexes(self) -> list[StoredIndex]:
        """None: `manage.py migrate` makes those that the documents declare."""
        return []


def _about(rows: Collection[dict[str, Any]]) -> int:
    """How many documents there are; none only where there is none, also after a crash."""
    return rows.estimated_document_count() or int(rows.find_one({}, {"_id": 1}) is not None)


def _at_once(collection: str) -> int:
    """Documents of one read, by their mean size as the server has noted it."""
    mean = int(get_db().command("collStats", collection).get("avgObjSize") or 1)
    return max(1, min(_BATCH, BYTES_AT_ONCE // mean))


def bodies(connection: sqlite3.Connection, collection: str) -> Iterator[bytes]:
    """The documents of a collection in a store's file, or in a backup, as they were inserted."""
    asked = "SELECT body FROM documents WHERE namespace = ? ORDER BY rowid"
    for (body,) in connection.execute(asked, (namespace_of(collection),)):
        yield body


def namespace_of(collection: str) -> str:
    """The name of a collection in the file, whatever its database is called."""
    return f"{mongo.DEFAULT_DATABASE}.{collection}"


def _collection_of(namespace: str) -> str:
    return namespace.partition(".")[2]
