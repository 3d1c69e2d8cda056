"""mongomock's collection and cursor with every operation atomic, indexed and written through."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import wraps
from operator import itemgetter
from typing import Any, Final

from bson import Int64, ObjectId
from mongomock.collection import Collection, Cursor
from mongomock.command_cursor import CommandCursor
from mongomock.filtering import filter_applies, resolve_sort_key
from mongomock.helpers import (
    create_index_list,
    gen_index_name,
    utcnow,
)
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError, OperationFailure

from ecommerce.core.embedded.aggregation import aggregate
from ecommerce.core.embedded.copying import Doc, as_compared, copied, plain_fields
from ecommerce.core.embedded.indexes import is_scalar
from ecommerce.core.embedded.matching import matcher
from ecommerce.core.embedded.positions import numbered, paths_of
from ecommerce.core.embedded.store import (
    IndexedCollectionStore,
    Journal,
    Touched,
    as_stored,
    store_key,
)

_INDEX_OPTIONS: Final = ("sparse", "unique", "expireAfterSeconds", "partialFilterExpression")


def _writes(name: str) -> Any:
    """mongomock's method of this name as one atomic, journaled operation."""
    method = getattr(Collection, name)

    @wraps(method)
    def operation(self: "EmbeddedCollection", *args: Any, **kwargs: Any) -> Any:
        with self.database.client.writing():
            self._sweep()
            return method(self, *args, **kwargs)

    return operation


def _reads(name: str) -> Any:
    """mongomock's method of this name under the lock."""
    method = getattr(Collection, name)

    @wraps(method)
    def operation(self: "EmbeddedCollection", *args: Any, **kwargs: Any) -> Any:
        with self.database.client.lock:
            return method(self, *args, **kwargs)

    return operation


class SnapshotCursor(Cursor):
    """Reads a consistent snapshot, and copies only what is within skip and limit.

    mongomock copies every match before it cuts to the page.
    """

    def __init__(
        self, collection: "EmbeddedCollection", where: Mapping[str, Any], *args: Any
    ) -> None:
        self._window: list[Doc] | None = None
        self._results: list[Doc] | None = None
        self._factory_last_generated_results: Any = None
        super().__init__(collection, {}, *args)
        self._spec = as_compared(where)

    def _compute_results(self, with_limit_and_skip: bool = False) -> list[Doc]:  # noqa: FBT001, FBT002
        if self._results is None or self._factory_last_generated_results is not self._factory:
            self._results = self.collection.snapshot(self._spec, self._sort)
            self._factory_last_generated_results = self._factory
            self._window = None
        if not with_limit_and_skip:
            return self._copied(self._results)
        if self._window is None:
            end = self._skip + abs(self._limit) if self._limit else None
            self._window = self._copied(self._results[self._skip : end])
        return self._window

    def __iter__(self) -> Iterator[Doc]:
        """What is left; mongomock takes two calls for each document of it."""
        for doc in self._compute_results(with_limit_and_skip=True)[self._emitted :]:
            self._emitted += 1
            yield doc

    def _copied(self, docs: list[Doc]) -> list[Doc]:
        aware: bool = self.collection.codec_options.tz_aware
        chosen = self._projection
        fields = plain_fields(chosen)
        if fields is not None:
            return [fields.copied(doc, aware=aware) for doc in docs]
        # mongomock changes the projection it is given while it works: each call gets its own.
        own = dict if isinstance(chosen, dict) else list
        part = self.collection._copy_only_fields
        return [copied(part(doc, own(chosen), dict), aware=aware) for doc in docs]

    def limit(self, count: int) -> "SnapshotCursor":
        """At most this many documents; 0 for all."""
        self._window = None
        self._limit = count or None
        return self

    def skip(self, count: int) -> "SnapshotCursor":
        """Leave out the first ones."""
        self._window = None
        self._skip = count
        return self


_SIMPLE: Final = frozenset({str, int, Int64, ObjectId, datetime})


def _sort_key(docs: list[Doc], field: str) -> Callable[[Doc], Any]:
    """The field itself where all values are of one plain type: 25 times faster at 10,000."""
    kinds = {type(doc.get(field)) for doc in docs}
    if kinds == {ObjectId}:  # its own comparison is Python, that of its bytes is not
        return lambda doc: doc[field].binary
    if len(kinds) == 1 and kinds <= _SIMPLE:
        return itemgetter(field)
    return lambda doc: resolve_sort_key(field, doc)


class EmbeddedCollection(Collection):
    """One collection of the embedded store."""

    insert_one = _writes("insert_one")
    insert_many = _writes("insert_many")
    update_one = _writes("update_one")
    update_many = _writes("update_many")
    replace_one = _writes("replace_one")
    delete_one = _writes("delete_one")
    delete_many = _writes("delete_many")
    find_one_and_update = _writes("find_one_and_update")
    find_one_and_replace = _writes("find_one_and_replace")
    find_one_and_delete = _writes("find_one_and_delete")
    bulk_write = _writes("bulk_write")
    count_documents = _reads("count_documents")
    distinct = _reads("distinct")
    index_information = _reads("index_information")

    _store: IndexedCollectionStore

    def with_options(self, codec_options: Any = None, *_: Any, **__: Any) -> "EmbeddedCollection":
        """Times may come without zones; preferences and concerns make no difference here."""
        if codec_options is None or codec_options == self.codec_options:
            return self
        return EmbeddedCollection(
            self.database, self.name, codec_options=codec_options, _db_store=self._db_store
        )

    def find(
        self,
        filter: Mapping[str, Any] | None = None,  # noqa: A002
        projection: Any = None,
        **options: Any,
    ) -> SnapshotCursor:
        """A cursor over what matches when its first document is asked for."""
        return SnapshotCursor(
            self,
            filter or {},
            options.get("sort"),
            projection,
            options.get("skip", 0),
            options.get("limit", 0),
        )

    def aggregate(
        self, pipeline: list[Mapping[str, Any]], session: Any = None, **_: Any
    ) -> CommandCursor:
        """The results of a pipeline; a first `$match` is answered as `find` would."""
        if session is not None:
            raise NotImplementedError("The embedded store has no sessions.")
        first = pipeline[0].get("$match") if pipeline else None
        where = as_compared(first) if first else {}
        docs = self.snapshot(where, None)
        rest = pipeline if first is None else pipeline[1:]
        with self.database.client.lock:
            return CommandCursor(aggregate(docs, rest, self.database))

    def snapshot(self, where: Mapping[str, Any], sort: Any) -> list[Doc]:
        """What matches now, in order. The documents are never changed: writers replace them."""
        client = self.database.client
        with client.lock:
            if client.slot.current is None and self._store.expiry_is_due():
                with client.writing():
                    self._sweep()
            matching = list(self._matching(where))
        for field, direction in reversed(list(dict(sort or {}).items())):
            matching.sort(key=_sort_key(matching, field), reverse=direction < 0)
        return matching

    def create_index(self, key_or_list: Any, **options: Any) -> str:
        """Make an index, if what is stored allows it; keep its definition.

        mongomock ignores partialFilterExpression when it looks for duplicates; this does not.

        Raises:
            DuplicateKeyError: documents already clash.
            OperationFailure: another index has the name.
        """
        keys = create_index_list(key_or_list)
        name: str = options.get("name") or gen_index_name(keys)
        chosen = {option: options.get(option) for option in _INDEX_OPTIONS}
        # "is": an expiry of 0 seconds counts, though 0 equals False.
        unset = [option for option, value in chosen.items() if value is None or value is False]
        definition = {"key": keys, **{o: v for o, v in chosen.items() if o not in unset}}
        with self.database.client.lock:
            store = self._store
            known = store.indexes.get(name)
            if known is not None and known != definition:
                raise OperationFailure(f"Index {name} already exists with different options", 86)
            if known is None:
                store.create_index(name, definition)
                self._check_all(name)
                self.database.client.file.save_index(store.namespace, name, definition)
        return name

    def _check_all(self, name: str) -> None:
        """Drop the new index again if documents clash."""
        store = self._store
        try:
            for key, doc in store.items():
                store.check_unique(doc, key, only=name)
        except DuplicateKeyError:
            store.drop_index(name)
            raise

    def drop_index(self, index_or_name: Any, session: Any = None) -> None:
        """Forget an index."""
        with self.database.client.lock:
            name = (
                index_or_name if isinstance(index_or_name, str) else gen_index_name(index_or_name)
            )
            super().drop_index(name, session=session)
            self.database.client.file.drop_index(self._store.namespace, name)

    def drop_indexes(self, session: Any = None) -> None:
        """Forget every index."""
        for name in list(self._store.indexes):
            self.drop_index(name, session=session)

    # --- what mongomock calls while it works -------------------------------------------------

    def _insert(self, data: Any, session: Any = None, ordered: bool = True) -> Any:  # noqa: FBT001, FBT002
        if not isinstance(data, Mapping):
            return super()._insert(data, session, ordered)  # comes back here for each document
        with self.database.client.writing():
            return super()._insert(data, session, ordered)

    def _ensure_uniques(self, new_data: Doc) -> None:
        key = store_key(new_data["_id"])
        self._store.relist(key)
        self._store.check_unique(new_data, key)

    def _iter_documents(self, filter: Mapping[str, Any]) -> Iterator[Doc]:  # noqa: A002
        journal: Journal | None = self.database.client.slot.current
        matching = list(self._matching(filter))
        if journal is None:
            return iter(matching)
        keys = [store_key(doc["_id"]) for doc in matching]
        # Lazily: an update of one stops at the first, and only that one is copied.
        return (doc for key in keys if (doc := journal.touch(self._store, key)) is not None)

    def _matching(self, where: Mapping[str, Any]) -> Iterator[Doc]:
        if self._store.is_empty:
            filter_applies(where, {})  # a filter that is wrong is wrong for no documents too
        found, rest = self._store.candidates(where)
        return filter(matcher(rest), found) if rest else iter(found)

    def _update(self, spec: Any, document: Any, *args: Any, **options: Any) -> Any:
        # What an update brings in is as it will be in the file before it is in a document.
        brought = document if isinstance(document, list) else as_stored(document)
        return super()._update(spec, brought, *args, **options)

    def _apply_update_document(
        self,
        existing_document: Doc,
        spec: Mapping[str, Any],
        document: Mapping[str, Any],
        was_insert: bool,  # noqa: FBT001
    ) -> None:
        change = numbered(document, spec, existing_document)
        if isinstance(existing_document, Touched):
            for path in paths_of(change):
                existing_document.separate(path)
        super()._apply_update_document(existing_document, spec, change, was_insert)

    def _apply_update_pipeline(self, existing_document: Doc, *args: Any) -> None:
        if isinstance(existing_document, Touched):
            existing_document.separate_all()
        super()._apply_update_pipeline(existing_document, *args)

    def _find_and_modify(
        self,
        query: Mapping[str, Any],
        projection: Any = None,
        update: Any = None,
        upsert: bool = False,  # noqa: FBT001, FBT002
        sort: Any = None,
        return_document: bool = ReturnDocument.BEFORE,  # noqa: FBT001
        **options: Any,
    ) -> Doc | None:
        """mongomock would go on with the `_id` alone, and `items.$` would hit the first item."""
        pinned = self._pinned(query, sort)
        if pinned is None and not upsert:
            return None
        wanted = pinned or query
        wants_before = options.get("remove") or return_document is ReturnDocument.BEFORE
        before: Doc | None = self.find_one(wanted, projection) if wants_before else None
        if options.get("remove"):
            self._delete(wanted)
            return before
        result = self._update(wanted, update, upsert)
        if wants_before or not result["n"]:
            return before
        made = result["upserted"]
        after: Doc | None = self.find_one(
            {"_id": wanted["_id"] if made is None else made}, projection
        )
        return after

    def _pinned(self, query: Mapping[str, Any], sort: Any) -> Mapping[str, Any] | None:
        """The query for the one document that it finds first; None if it finds none."""
        if "_id" in query and is_scalar(query["_id"]):
            return query
        found = self.find_one(query, {"_id": 1}, sort=sort)
        return {**query, "_id": found["_id"]} if found else None

    def _sweep(self) -> None:
        for key in self._store.expired(utcnow()):
            del self._store[key]
