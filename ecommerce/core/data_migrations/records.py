"""Writes of the records: who is at a migration, how far it is, how it ended."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, cast

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from ecommerce.core.data_migrations.declared import DataMigration
from ecommerce.core.data_migrations.errors import MigrationError
from ecommerce.core.documents.data_migrations import (
    DataMigrationRecord,
    DataMigrationRow,
    MigrationState,
)
from ecommerce.core.mongo import collection, insert, utc_now

LEASE: Final = timedelta(seconds=20)
"""How long a worker may be silent; each batch renews it."""


class LeaseLostError(Exception):
    """Another process has taken the migration over: stop at once."""


def known() -> dict[int, DataMigrationRow]:
    """Every record, by number."""
    rows = collection(DataMigrationRecord).find({}, sort=[("_id", 1)])
    return {row["_id"]: cast(DataMigrationRow, row) for row in rows}


def recorded(migration: DataMigration) -> DataMigrationRow:
    """The record of a migration; made if there is none.

    Raises:
        MigrationError: another migration has had its number.
    """
    found = collection(DataMigrationRecord).find_one({"_id": migration.number})
    if found is None:
        with suppress(DuplicateKeyError):  # another process made it
            insert(
                DataMigrationRecord, id=migration.number, name=migration.name,
                state=MigrationState.WAITING, lease_until=utc_now(),
            )  # fmt: skip
        found = collection(DataMigrationRecord).find_one({"_id": migration.number})
    assert found is not None  # noqa: S101 - nothing ever deletes one
    refuse_another_name(migration, found)
    return cast(DataMigrationRow, found)


def refuse_another_name(migration: DataMigration, row: Mapping[str, Any]) -> None:
    """
    Raises:
        MigrationError: another migration has had its number.
    """
    if row["name"] != migration.name:
        raise MigrationError(
            f"Data migration {migration.number} was {row['name']!r} here, and is now "
            f"{migration.name!r}. Numbers are never used twice: give it a new one."
        )


def claim(migration: DataMigration, *, holder: str) -> DataMigrationRow | None:
    """Take a migration that is not done and that nobody is at; None if there is nothing to take."""
    now = utc_now()
    taken = collection(DataMigrationRecord).find_one_and_update(
        {
            "_id": migration.number,
            "state": {"$ne": MigrationState.DONE},
            "lease_until": {"$lte": now},
        },
        {
            "$set": {
                "state": MigrationState.RUNNING, "lease_holder": holder, "lease_until": now + LEASE,
                "started_at": now, "updated_at": now,
            },
            "$unset": {"fault": ""},
            "$inc": {"version": 1},
        },
        return_document=ReturnDocument.AFTER,
    )  # fmt: skip
    return cast(DataMigrationRow | None, taken)


def advance(migration: DataMigration, *, holder: str, cursor: Any, seen: int, changed: int) -> None:
    """A batch is over: go on behind it, whatever happens.

    Raises:
        LeaseLostError: another has the migration.
    """
    _write(migration, holder, {"cursor": cursor, "lease_until": utc_now() + LEASE}, seen, changed)


def finish(migration: DataMigration, *, holder: str) -> None:
    """It is done, once and for all.

    Raises:
        LeaseLostError: another has the migration.
    """
    now = utc_now()
    _write(
        migration, holder, {"state": MigrationState.DONE, "lease_until": now, "finished_at": now}
    )


def fail(migration: DataMigration, *, holder: str, fault: str) -> None:
    """It cannot go on; whoever comes next may try again at once.

    Raises:
        LeaseLostError: another has the migration.
    """
    told = {"state": MigrationState.FAILED, "lease_until": utc_now(), "fault": fault}
    _write(migration, holder, told)


def _write(
    migration: DataMigration,
    holder: str,
    values: Mapping[str, Any],
    seen: int = 0,
    changed: int = 0,
) -> None:
    written = collection(DataMigrationRecord).find_one_and_update(
        {"_id": migration.number, "lease_holder": holder, "state": MigrationState.RUNNING},
        {
            "$set": {**values, "updated_at": utc_now()},
            "$inc": {"version": 1, "seen": seen, "changed": changed},
        },
        projection={"_id": 1},
    )
    if written is None:
        raise LeaseLostError
