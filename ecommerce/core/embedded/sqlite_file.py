"""The file behind the embedded store: one SQLite table of BSON documents, one of index definitions.

WAL with synchronous=NORMAL: a commit is in the operating system before the call returns, so a
`kill -9` loses nothing. (Only a power cut may lose the last moments; it never tears the file.)
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import bson
from bson.errors import BSONError

from ecommerce.core.embedded.errors import StoreDamagedError

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS documents
    (namespace TEXT, id BLOB, body BLOB NOT NULL, PRIMARY KEY (namespace, id));
CREATE TABLE IF NOT EXISTS indexes
    (namespace TEXT, name TEXT, body BLOB NOT NULL, PRIMARY KEY (namespace, name));
"""
_SAVE: Final = (
    "INSERT INTO documents VALUES (?, ?, ?)"
    " ON CONFLICT (namespace, id) DO UPDATE SET body = excluded.body"
)
_DELETE: Final = "DELETE FROM documents WHERE namespace = ? AND id = ?"

Change = tuple[str, Any, bytes | None]
"""Namespace, `_id`, and the document as BSON; None where it was deleted."""


class SQLiteFile:
    """Reads everything at opening, then only writes; the store's lock is around every call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.exists() and path.stat().st_size:
            self._check()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)

    def _check(self) -> None:
        """Look through a read-only connection, which cannot make damage worse.

        Raises:
            StoreDamagedError: with what SQLite says.
        """
        connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found == "ok":
                connection.execute("SELECT namespace, id, body FROM documents LIMIT 1")
                for (body,) in connection.execute("SELECT body FROM documents"):
                    bson.decode(body)
        except (sqlite3.Error, BSONError) as fault:
            raise StoreDamagedError(self._path, str(fault)) from None
        finally:
            connection.close()
        if found != "ok":
            raise StoreDamagedError(self._path, found.splitlines()[-1])

    def documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every stored document with its namespace, in the order of insertion."""
        rows = self._connection.execute("SELECT namespace, body FROM documents ORDER BY rowid")
        return ((namespace, bson.decode(body)) for namespace, body in rows)

    def indexes(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Every index definition with its namespace and name."""
        rows = self._connection.execute("SELECT namespace, name, body FROM indexes ORDER BY rowid")
        for namespace, name, body in rows:
            definition = bson.decode(body)
            definition["key"] = [tuple(pair) for pair in definition["key"]]
            yield namespace, name, definition

    def save(self, changes: Iterable[Change]) -> None:
        """Write all changes, or none when it raises."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for namespace, key, body in changes:
                packed = bson.encode({"_id": key})
                if body is None:
                    self._connection.execute(_DELETE, (namespace, packed))
                else:
                    self._connection.execute(_SAVE, (namespace, packed, body))
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def save_index(self, namespace: str, name: str, definition: dict[str, Any]) -> None:
        """Keep an index definition."""
        body = bson.encode({**definition, "key": [list(pair) for pair in definition["key"]]})
        self._connection.execute(
            "INSERT OR REPLACE INTO indexes VALUES (?, ?, ?)", (namespace, name, body)
        )

    def drop_index(self, namespace: str, name: str) -> None:
        """Forget an index definition."""
        self._connection.execute(
            "DELETE FROM indexes WHERE namespace = ? AND name = ?", (namespace, name)
        )

    def drop(self, namespace: str) -> None:
        """Forget a collection with its indexes."""
        self._connection.execute("DELETE FROM documents WHERE namespace = ?", (namespace,))
        self._connection.execute("DELETE FROM indexes WHERE namespace = ?", (namespace,))

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        self._connection.close()
