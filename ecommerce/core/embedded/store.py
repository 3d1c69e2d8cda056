"""mongomock's stores with equality indexes, and a journal that writes through or puts back."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from time import monotonic
from typing import Any, Final

import bson
from mongomock.filtering import filter_applies
from mongomock.helpers import hashdict
from mongomock.store import CollectionStore, DatabaseStore, ServerStore
from pymongo.errors import DuplicateKeyError

from ecommerce.core.embedded.copying import Doc, copied, copied_value
from ecommerce.core.embedded.indexes import EqualityIndex, are_scalars, elements, is_scalar
from ecommerce.core.embedded.matching import conditions
from ecommerce.core.embedded.sqlite_file import Change, SQLiteFile

_EXPIRY_INTERVAL: Final = 60.0
"""Seconds between sweeps of expired documents, as in MongoDB."""


class JournalSlot:
    """Where the operation under way finds its journal; empty between operations."""

    def __init__(self) -> None:
        self.current: Journal | None = None


class IndexedCollectionStore(CollectionStore):
    """One collection. A stored document is never changed in place: it is replaced (see Journal)."""

    def __init__(self, name: str, namespace: str, slot: JournalSlot) -> None:
        super().__init__(name)
        self.namespace = namespace
        self._slot = slot
        self._by_field: dict[str, EqualityIndex] = {}
        self._swept = float("-inf")

    # --- mongomock's way in and out -------------------------------------------------------

    def __setitem__(self, key: Any, val: Doc) -> None:
        if self._slot.current is not None:
            self._slot.current.remember(self, key)
        self._documents[key] = val
        self.relist(key)

    def __delitem__(self, key: Any) -> None:
        if self._slot.current is not None:
            self._slot.current.remember(self, key)
        del self._documents[key]
        for index in self._by_field.values():
            index.remove(key)

    def relist(self, key: Any) -> None:
        """List a document by the values that it has now."""
        for index in self._by_field.values():
            index.add(key, self._documents[key])

    def stand_in(self, key: Any, copy: Doc) -> None:
        """Put an equal document in a document's place: it stays listed as it is."""
        self._documents[key] = copy

    def _remove_expired_documents(self) -> None:
        """mongomock looks through the whole collection at each call; `expired` is asked instead."""

    def drop(self) -> None:
        """Forget everything."""
        super().drop()
        self._by_field = {}

    def create_index(self, index_name: str, index_dict: Doc) -> None:
        """Add a definition, and list what is stored by the two fields that its key begins with.

        Those are what queries ask to be equal; the ones behind them are for order and ranges.
        """
        super().create_index(index_name, index_dict)
        for field, _ in index_dict["key"][:2]:
            if field != "_id" and field not in self._by_field:
                index = self._by_field[field] = EqualityIndex(field)
                for key, doc in self._documents.items():
                    index.add(key, doc)

    # --- reading ----------------------------------------------------------------------------

    def get(self, key: Any) -> Doc | None:
        """The document with this `_id` (hashable, as mongomock keys it)."""
        found: Doc | None = self._documents.get(key)
        return found

    def items(self) -> list[tuple[Any, Doc]]:
        """Every document with its key."""
        return list(self._documents.items())

    def candidates(self, where: Mapping[str, Any]) -> tuple[Iterable[Doc], list[Doc]]:
        """Documents that may match, by what indexes serve; and the conditions still to check."""
        rest: list[Doc] = []
        served: list[list[dict[Any, None]]] = []
        for field, condition in conditions(where):
            values = _wanted(condition)
            if field == "_id" and values is not None:
                served.append([dict.fromkeys(values)])
            elif values is not None and (index := self._by_field.get(field)) is not None:
                served.append([*map(index.listed, values), *([index.odd] if index.odd else [])])
                if index.odd:
                    rest.append({field: condition})
            else:
                rest.append({field: condition})
        if not served:
            return list(self._documents.values()), rest
        return self._having_all(served), rest

    def _having_all(self, served: list[list[dict[Any, None]]]) -> list[Doc]:
        """The documents listed in at least one of each group, from the smallest group on."""
        smallest, *others = sorted(served, key=lambda group: sum(map(len, group)))
        keys: Iterable[Any] = (
            smallest[0] if len(smallest) == 1 else dict.fromkeys(chain.from_iterable(smallest))
        )
        for group in others:
            keys = [key for key in keys if any(key in listed for listed in group)]
        found = map(self._documents.get, keys)
        return [doc for doc in found if doc is not None]

    def expiry_is_due(self) -> bool:
        """Whether a minute has passed since expired documents were last looked for."""
        return bool(self._ttl_indexes) and monotonic() - self._swept >= _EXPIRY_INTERVAL

    def expired(self, now: datetime) -> list[Any]:
        """The `_id`s that a TTL index no longer keeps; looked for once a minute."""
        if not self.expiry_is_due():
            return []
        self._swept = monotonic()
        return [
            key
            for key, doc in self._documents.items()
            for index in self._ttl_indexes.values()
            if self._value_meets_expiry(
                doc.get(index["key"][0][0]), int(index["expireAfterSeconds"]), now
            )
        ]

    def check_unique(self, doc: Doc, key: Any, *, only: str = "") -> None:
        """Refuse a document that a unique index (or the one named `only`) forbids.

        mongomock counts matches over the whole collection at each write: 30 ms at 10,000
        documents; here the index of the first field names the few that can clash.

        Raises:
            DuplicateKeyError: another document has the same key.
        """
        for name, index in self.indexes.items():
            if not index.get("unique") or (only and name != only) or not participates(index, doc):
                continue
            for other in self._rivals(index, doc):
                if other != key and participates(index, self._documents[other]):
                    pattern = dict(index["key"])
                    values = {field: elements(doc, field)[0] for field in pattern}
                    raise DuplicateKeyError(
                        f"E11000 duplicate key error index: {name} dup key: {values}",
                        11000,
                        {"keyPattern": pattern, "keyValue": values},
                    )

    def _rivals(self, index: Doc, doc: Doc) -> Iterator[Any]:
        wanted = {field: elements(doc, field) for field, _ in index["key"]}
        if wanted.keys() == {"_id"}:
            return
        first = next(iter(wanted))
        by_first = self._by_field[first]
        listed: Iterable[Any] = self._documents
        if are_scalars(wanted[first]):
            listed = dict.fromkeys(chain.from_iterable(map(by_first.having, wanted[first])))
        for key in listed:
            other = self._documents[key]
            if all(
                any(value in values for value in elements(other, field))
                for field, values in wanted.items()
            ):
                yield key


_ABSENT: Final[tuple[list[Any], ...]] = ([None], [])


def participates(index: Doc, doc: Doc) -> bool:
    """Whether an index covers the document (sparse and partial ones do not cover all)."""
    if index.get("sparse") and all(elements(doc, field) in _ABSENT for field, _ in index["key"]):
        return False
    partial = index.get("partialFilterExpression")
    return partial is None or bool(filter_applies(partial, doc))


def _wanted(condition: Any) -> list[Any] | None:
    """The values of an equality or an `$in` that an index can serve; None for other conditions."""
    if isinstance(condition, Mapping):
        values = condition.get("$in") if condition.keys() == {"$in"} else None
        return values if values is not None and are_scalars(values) else None
    return [condition] if is_scalar(condition) else None


class Touched(Doc):
    """The copy of a document that an operation may change; only until it is settled.

    Shares what it holds with the document until `separate` says that it will change. mongomock
    takes a deep copy first, to see later whether it changed. The document that the copy stands in
    for stays as it was, and is that already.
    """

    def __init__(self, document: Doc) -> None:
        super().__init__(document)
        self._before = document
        self._separate: set[str] = set()

    def __deepcopy__(self, _: Any) -> Doc:
        return self._before

    def separate(self, path: str) -> None:
        """Make what a change of this path changes in place its own: a copy.

        A line of a cart is one of a hundred: copying all of them, and comparing them afterwards,
        was a tenth of what a change of one took.
        """
        field, _, below = path.partition(".")
        number, _, name = below.partition(".")
        array = self.get(field)
        if isinstance(array, list) and (not below or (number.isdigit() and "." not in name)):
            if self._is_first(field):
                self[field] = array = list(array)
            if below and int(number) < len(array) and self._is_first(f"{field}.{number}"):
                array[int(number)] = copied_value(array[int(number)])
        elif isinstance(array, dict | list):
            self[field] = copied_value(array)

    def separate_all(self) -> None:
        """The same of all that it holds."""
        self.update(copied(self, aware=False))

    def _is_first(self, place: str) -> bool:
        known = place in self._separate
        self._separate.add(place)
        return not known


class Journal:
    """What one operation touches: written through when it succeeds, put back when it fails.

    mongomock changes stored documents in place, so `touch` first puts a copy in the document's
    place: readers that hold the old one keep a consistent snapshot, and undoing is putting it back.
    """

    def __init__(self) -> None:
        self._before: dict[tuple[int, Any], tuple[IndexedCollectionStore, Any, Doc | None]] = {}

    def touch(self, store: IndexedCollectionStore, key: Any) -> Doc | None:
        """Remember the document as it is; the copy that now stands in its place."""
        document = store.get(key)
        if document is None or not self.remember(store, key):
            return document
        copy = Touched(document)
        store.stand_in(key, copy)
        return copy

    def remember(self, store: IndexedCollectionStore, key: Any) -> bool:
        """Keep what stands there now, the first time; whether this was the first time."""
        if (id(store), key) in self._before:
            return False
        self._before[id(store), key] = (store, key, store.get(key))
        return True

    def settle(self) -> list[Change]:
        """What was touched, as BSON; memory now holds exactly what a reload of it would give."""
        changes: list[Change] = []
        for store, key, old in self._before.values():
            new = store.get(key)
            if new is not None:
                store[key] = dict(new) if isinstance(new, Touched) else as_stored(new)
                changes.append((store.namespace, new["_id"], bson.encode(new)))
            elif old is not None:
                changes.append((store.namespace, old["_id"], None))
        return changes

    def undo(self) -> None:
        """Put everything back as it was."""
        for store, key, old in self._before.values():
            if old is not None:
                store[key] = old
            elif store.get(key) is not None:
                del store[key]

    def absorb(self, inner: "Journal") -> None:
        """Take over what a part of this operation touched."""
        for entry, before in inner._before.items():
            self._before.setdefault(entry, before)


def as_stored(doc: Mapping[str, Any]) -> Doc:
    """What a reload of the document would give: times in UTC and milliseconds, plain types."""
    return bson.decode(bson.encode(doc))


def store_key(document_id: Any) -> Any:
    """An `_id` as mongomock keys it."""
    return hashdict(document_id) if isinstance(document_id, dict) else document_id


class IndexedDatabaseStore(DatabaseStore):
    """One database."""

    def __init__(self, name: str, slot: JournalSlot) -> None:
        super().__init__()
        self._name = name
        self._slot = slot

    def __getitem__(self, col_name: str) -> IndexedCollectionStore:
        if col_name not in self._collections:
            namespace = f"{self._name}.{col_name}"
            self._collections[col_name] = IndexedCollectionStore(col_name, namespace, self._slot)
        found: IndexedCollectionStore = self._collections[col_name]
        return found


class FileBackedServerStore(ServerStore):
    """Every database, loaded from the file."""

    def __init__(self, file: SQLiteFile) -> None:
        super().__init__()
        self.slot = JournalSlot()
        for namespace, name, definition in file.indexes():
            self._at(namespace).create_index(name, definition)
        for namespace, document in file.documents():
            self._at(namespace)[store_key(document["_id"])] = document

    def __getitem__(self, db_name: str) -> IndexedDatabaseStore:
        if db_name not in self._databases:
            self._databases[db_name] = IndexedDatabaseStore(db_name, self.slot)
        found: IndexedDatabaseStore = self._databases[db_name]
        return found

    def _at(self, namespace: str) -> IndexedCollectionStore:
        database, _, collection = namespace.partition(".")
        return self[database][collection]
