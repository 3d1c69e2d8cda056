"""A backup is one SQLite file: the tables of the embedded store, and a manifest with digests."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import bson
from bson.errors import BSONError

from ecommerce.core.backups.errors import BackupError
from ecommerce.core.backups.sources import Source, bodies, namespace_of
from ecommerce.core.drafts import draft_of, put_in_place
from ecommerce.core.embedded.sqlite_file import SCHEMA
from ecommerce.core.mongo import utc_now

FORMAT: Final = "1"
_MANIFEST: Final = """
CREATE TABLE backup (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE manifest (collection TEXT PRIMARY KEY, documents INTEGER, sha256 TEXT NOT NULL);
"""
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """What must be found of a collection."""

    documents: int
    sha256: str
    """Of all its documents in the order of their ids, so that it is the same from any store."""


def write_backup(path: Path, source: Source, advance: Advance) -> "BackupFile":
    """Write all of the source into a new file, read it through, and only then give it its name.

    Raises:
        BackupError: it cannot be written, or is not what was written. Nothing has its name then.
    """
    try:
        with draft_of(path) as draft:
            with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
                _fill(connection, source, advance)
            BackupFile(draft).verify(lambda _: None)
            put_in_place(draft, path)
    except OSError as fault:
        raise BackupError(f"{path} cannot be written: {fault.strerror}.") from None
    return BackupFile(path)


def _fill(connection: sqlite3.Connection, source: Source, advance: Advance) -> None:
    connection.executescript(SCHEMA + _MANIFEST)
    connection.execute("BEGIN")
    about = {"format": FORMAT, "made_at": utc_now().isoformat(), "source": source.kind}
    connection.executemany("INSERT INTO backup VALUES (?, ?)", about.items())
    for collection in source.counts():
        _copy(connection, collection, source.documents(collection), advance)
        entry = _entry(connection, collection)
        row = (collection, entry.documents, entry.sha256)
        connection.execute("INSERT INTO manifest VALUES (?, ?, ?)", row)
    kept = [(namespace_of(one.collection), one.name, one.body) for one in source.indexes()]
    connection.executemany("INSERT INTO indexes VALUES (?, ?, ?)", kept)
    connection.execute("COMMIT")


def _copy(
    connection: sqlite3.Connection, collection: str, bodies: Iterator[bytes], advance: Advance
) -> None:
    space = namespace_of(collection)
    for body in bodies:
        key = bson.encode({"_id": bson.decode(body)["_id"]})
        connection.execute("INSERT INTO documents VALUES (?, ?, ?)", (space, key, body))
        advance(1)


def _entry(connection: sqlite3.Connection, collection: str) -> Entry:
    digest, count = hashlib.sha256(), 0
    asked = "SELECT body FROM documents WHERE namespace = ? ORDER BY id"
    for (body,) in connection.execute(asked, (namespace_of(collection),)):
        digest.update(body)  # BSON begins with its length: no two rows run into each other
        count += 1
    return Entry(count, digest.hexdigest())


class BackupFile:
    """A backup that was made before."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            BackupError: it is not there, or is no backup.
        """
        self.path = path
        if not path.is_file():
            raise BackupError(f"There is no file {path}.")
        with self._opened() as connection:
            self.about = dict(connection.execute("SELECT name, value FROM backup"))
            rows = connection.execute("SELECT * FROM manifest ORDER BY collection")
            self.manifest = {name: Entry(count, sha256) for name, count, sha256 in rows}
        if self.about.get("format") != FORMAT:
            raise BackupError(f"{path} was made by another version of this command.")

    @property
    def documents(self) -> int:
        """How many there are in all."""
        return sum(entry.documents for entry in self.manifest.values())

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                yield connection
        except (sqlite3.DatabaseError, BSONError) as fault:
            raise BackupError(f"{self.path} is no backup, or is damaged: {fault}.") from None

    def verify(self, advance: Advance) -> None:
        """Read every document.

        Raises:
            BackupError: something is missing, too much, or not what was written.
        """
        with self._opened() as connection:
            if (said := connection.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
                raise BackupError(f"{self.path} is damaged: {said.splitlines()[-1]}.")
            for collection, entry in self.manifest.items():
                if _entry(connection, collection) != entry:
                    raise BackupError(
                        f"{self.path} is damaged: {collection} is not what was written."
                    )
                advance(entry.documents)
            (found,) = connection.execute("SELECT COUNT(*) FROM documents").fetchone()
        if found != self.documents:
            raise BackupError(f"{self.path} is damaged: it holds documents that nobody wrote.")

    def bodies(self, collection: str) -> Iterator[bytes]:
        """The documents of a collection, as BSON, in the order in which they were stored."""
        with self._opened() as connection:
            yield from bodies(connection, collection)
