"""The rows of a migration, in batches by `_id`, and the change of one."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ecommerce.core.batches import batches
from ecommerce.core.data_migrations.declared import DataMigration
from ecommerce.core.mongo import collection, utc_now

BATCH: Final = 200
"""Rows between two stored cursors: what a kill makes be looked at again."""
_ATTEMPTS: Final = 20
"""For a row that others change at the same moment, again and again."""


class RowError(Exception):
    """A row could not be changed; the message names it."""


def rows_left(migration: DataMigration, cursor: Any) -> Iterator[list[dict[str, Any]]]:
    """Batches behind the cursor (None: from the first on). What is new has a later id, as a rule;
    and it was made by a program that needs no migration."""
    rows = collection(migration.document)
    return batches(rows, {}, size=BATCH, fields=migration.projection, after=cursor)


def wanted(migration: DataMigration, row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What is to be done about a row.

    Raises:
        RowError: the migration does not know what to do.
    """
    try:
        return migration.change(row)
    except Exception as fault:
        raise RowError(f"row {row['_id']}: {type(fault).__name__}: {fault}") from fault


def migrate_row(migration: DataMigration, row: Mapping[str, Any]) -> bool:
    """Change a row if it needs it, as it is now; whether it was changed.

    Raises:
        RowError: it cannot be changed.
    """
    rows = collection(migration.document)
    present: Mapping[str, Any] | None = row
    for _ in range(_ATTEMPTS):
        if present is None or (change := wanted(migration, present)) is None:
            return False
        if rows.update_one(_guard(migration, present), _update(migration, change)).matched_count:
            return True
        present = rows.find_one({"_id": row["_id"]}, migration.projection)
    raise RowError(f"row {row['_id']}: others change it all the time")


def _guard(migration: DataMigration, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as it was read, and no other."""
    absent: dict[str, Any] = {"$exists": False}
    return {"_id": row["_id"], **{name: row.get(name, absent) for name in migration.pinned}}


def _update(migration: DataMigration, change: Mapping[str, Any]) -> Mapping[str, Any]:
    """The change, which raises the version where there is one, as each write does."""
    if "version" not in migration.pinned:
        return change
    return {
        **change,
        "$inc": {**change.get("$inc", {}), "version": 1},
        "$set": {**change.get("$set", {}), "updated_at": utc_now()},
    }
