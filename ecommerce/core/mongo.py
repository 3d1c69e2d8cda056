"""The one connection to where data lives: a MongoDB named by MONGODB_URI, or the embedded store.

Connects at first use, so after gunicorn has forked (PyMongo's clients do not survive a fork), and
never for a command that needs no data.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final

import mongoengine
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from bson.son import SON
from django.conf import settings
from mongoengine.connection import get_connection, get_db
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, ConnectionFailure, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from ecommerce.core.embedded import open_embedded_client
from ecommerce.core.logs.slow_operations import SlowOperationListener
from ecommerce.core.mongo_metrics import CommandMetrics, PoolMetrics

DEFAULT_DATABASE: Final = "ecommerce"
CLIENT_OPTIONS: Final[Mapping[str, Any]] = {
    # Milliseconds. They keep a call to a dead server under 2 s; PyMongo's defaults hang 30 s.
    "serverSelectionTimeoutMS": 1500,
    "connectTimeoutMS": 1000,
    "socketTimeoutMS": 2000,
    "waitQueueTimeoutMS": 1500,
    "timeoutMS": 1900,  # bounds one operation with all its retries
    "w": "majority",
    "journal": True,
    "retryWrites": True,
    "retryReads": True,
    "maxPoolSize": 50,
}
_WITHOUT_ZONES: Final[CodecOptions[dict[str, Any]]] = CodecOptions(
    tz_aware=False, uuid_representation=UuidRepresentation.STANDARD
)
_DUPLICATE_KEY: Final = 11000
"""The code of a fault, as servers give it."""
_OUTAGE_CODES: Final = frozenset(
    {
        6, 7, 89, 9001,  # a mongos: host unreachable, not found, timed out, socket
        91, 11600, 11602,  # shutting down, interrupted by that or by an election
        133, 134, 262,  # no host fits the read preference, no majority yet, too late
        189, 10107, 13435, 13436,  # no primary, or one no more
    }
)  # fmt: skip
"""What servers, and a mongos of its shards, say of an election, a restart or the network. Some come
as plain failures: after a write as the fault of its write concern, or past the driver's retry."""
_connecting = Lock()
_connected = False


def uses_embedded_store() -> bool:
    """Whether data lives in the development store of this process."""
    return not settings.MONGODB_URI


def connect() -> None:
    """Connect once for this process; safe to call from any thread, any number of times.

    Raises:
        StoreLockedError, StoreDamagedError, StoreUnopenedError: the embedded store cannot be used.
    """
    global _connected
    with _connecting:
        if _connected:
            return
        if uses_embedded_store():
            _connect_embedded()
        else:
            _connect_server()
        _connected = True


def disconnect() -> None:
    """Close the connection and let go of the embedded store's file."""
    global _connected
    with _connecting:
        if _connected:
            get_connection().close()
            mongoengine.disconnect()
        _connected = False


def _connect_embedded() -> None:
    client = open_embedded_client(settings.STORE_PATH)
    mongoengine.connect(
        DEFAULT_DATABASE,
        mongo_client_class=lambda **_: client,
        tz_aware=True,
        uuidRepresentation="standard",
    )


def _connect_server() -> None:
    parsed = parse_uri(settings.MONGODB_URI)
    given = {name.lower() for name in parsed["options"]}
    options = {name: value for name, value in CLIENT_OPTIONS.items() if name.lower() not in given}
    mongoengine.connect(
        parsed["database"] or DEFAULT_DATABASE,
        host=settings.MONGODB_URI,
        connect=False,  # threads start at first use, after the fork
        tz_aware=True,
        uuidRepresentation="standard",
        appname=settings.APP_NAME,
        event_listeners=[SlowOperationListener(), CommandMetrics(), PoolMetrics()],
        **options,
    )


def collection(document: type[mongoengine.Document]) -> Collection[dict[str, Any]]:
    """The collection of a document class, for guarded atomic updates and projected reads."""
    if not _connected:
        connect()
    found: Collection[dict[str, Any]] = document._get_collection()
    return found


def collection_without_zones(document: type[mongoengine.Document]) -> Collection[dict[str, Any]]:
    """The same for rows that go straight into an answer: their times are in UTC, and do not say so.

    Giving each time its zone, and asking it for its offset again when JSON is made, takes 2.5
    microseconds: 50 of the 220 that decoding, presenting and dumping a list of 20 takes. Only
    `json_output.to_json` may see such times: they cannot be compared with ours.
    """
    found = collection(document)
    return found.with_options(codec_options=_WITHOUT_ZONES)


def ping() -> None:
    """Ask the database whether it is there.

    Raises:
        PyMongoError: it is not.
    """
    if not _connected:
        connect()
    client: MongoClient[dict[str, Any]] = get_connection()
    if uses_embedded_store():
        client.server_info()
    else:
        get_db().command("ping")


def is_outage(fault: PyMongoError) -> bool:
    """Whether the database is away, or changes who leads it: in a moment it may be done again."""
    if isinstance(fault, ConnectionFailure) or fault.timeout:
        return True
    if isinstance(fault, BulkWriteError):
        kinds = ("writeErrors", "writeConcernErrors")
        codes = {each["code"] for kind in kinds for each in fault.details.get(kind, ())}
        return bool(codes) and codes <= _OUTAGE_CODES
    if fault.has_error_label("RetryableWriteError"):
        return True
    return isinstance(fault, OperationFailure) and fault.code in _OUTAGE_CODES


def in_short(fault: PyMongoError) -> str:
    """What a person needs to know of it: without the driver's settings, states and raw answers."""
    said = re.sub(r" \(configured timeouts: [^)]*\)", "", str(fault))
    brief = re.split(r", Timeout: |, full error: ", said)[0]
    return re.sub(r",(?=\S)", ", ", brief).rstrip(". ")


def insert(document: type[mongoengine.Document], /, **values: Any) -> dict[str, Any]:
    """Check and insert a new document; what was stored, as a plain dict.

    Raises:
        DuplicateKeyError: a unique index forbids it.
    """
    row = new_row(document, **values)
    collection(document).insert_one(row)
    return row


def new_row(document: type[mongoengine.Document], /, **values: Any) -> dict[str, Any]:
    """A new document with these values and its defaults as a row, each field's value checked by it.

    It is the row of `document(**values).to_mongo()`, and what its `validate()` refuses is refused:
    the fields do both. Without the instance between, that takes a fifth of the time; no document of
    ours has what the rest is for: inheritance, `clean`, fields that are not declared.

    Raises:
        ValidationError: of MongoEngine. A value is wrong, or missing: a fault of ours.
        TypeError: there is no such field.
    """
    if unknown := values.keys() - document._fields.keys():
        raise TypeError(f"{document.__name__} has no {', '.join(sorted(unknown))}")
    row = dict[str, Any]()
    for name, field in document._fields.items():
        value = values.get(name)
        if value is None and not field.null:
            value = field.default() if callable(field.default) else field.default
        if value is not None:
            value = field.to_python(value)
            field._validate(value)
            row[field.db_field] = _plain(field.to_mongo(value))
        elif field.required:
            field.error("Field is required")
        elif field.null:
            row[field.db_field] = None
    return row


def _plain(value: Any) -> Any:
    """Embedded documents as dicts."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.to_dict() if isinstance(value, SON) else value


def insert_new(document: type[mongoengine.Document], rows: Sequence[dict[str, Any]]) -> int:
    """Insert rows; those that a unique index forbids, for they are there already, are left out.

    Returns:
        How many were inserted.

    Raises:
        BulkWriteError: another fault, or no majority has what was inserted.
    """
    try:
        return len(collection(document).insert_many(rows, ordered=False).inserted_ids)
    except BulkWriteError as some:
        faults = some.details["writeErrors"]
        if some.details.get("writeConcernErrors"):
            raise
        if any(fault["code"] != _DUPLICATE_KEY for fault in faults):
            raise
        return len(rows) - len(faults)


def utc_now() -> datetime:
    """The time now, to the millisecond that BSON keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
