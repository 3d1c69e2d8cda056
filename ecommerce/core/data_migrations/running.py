"""Runs migrations, each once, whoever else tries, and goes on where a killed one ended."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from bson import ObjectId

from ecommerce.core.checkpoints import checkpoint
from ecommerce.core.data_migrations import records
from ecommerce.core.data_migrations.declared import DataMigration
from ecommerce.core.data_migrations.errors import MigrationBusyError, MigrationFailedError
from ecommerce.core.data_migrations.records import LeaseLostError
from ecommerce.core.data_migrations.rows import RowError, migrate_row, rows_left
from ecommerce.core.documents.data_migrations import DataMigrationRow, MigrationState
from ecommerce.core.response_cache.topics import everything_changed

_PAUSE: Final = 0.5
"""Seconds between two looks at a migration that another process is at."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A migration that is done now."""

    migration: DataMigration
    row: DataMigrationRow
    ours: bool
    """Whether it became so in this run, by this process."""
    is_said: bool = True
    """Whether nothing that was kept before will be shown (see `everything_changed`)."""


def run(
    migrations: Iterable[DataMigration], *, wait: float, advance: Callable[[int], None]
) -> Iterator[Outcome]:
    """Run them in their order; each is yielded when it is done, by us or by another process.

    Args:
        wait: seconds for a migration that another process is at.
        advance: called with the number of rows that were looked at.

    Raises:
        MigrationFailedError: a row could not be changed: recorded, and none after it is run.
        MigrationBusyError: another process is still at one.
        MigrationError: a number was used twice.
    """
    for migration in migrations:
        yield _finished(migration, wait, advance)


def _finished(migration: DataMigration, wait: float, advance: Callable[[int], None]) -> Outcome:
    deadline, ours, is_said = time.monotonic() + wait, False, True
    while True:
        row = records.recorded(migration)
        if row["state"] == MigrationState.DONE:
            return Outcome(migration, row, ours, is_said)
        holder = str(ObjectId())
        taken = records.claim(migration, holder=holder)
        if taken is not None:
            ours, is_said = _work(migration, taken, holder, advance)
        elif time.monotonic() > deadline:
            raise MigrationBusyError(migration.label, wait)
        else:
            time.sleep(_PAUSE)


def _work(
    migration: DataMigration,
    taken: DataMigrationRow,
    holder: str,
    advance: Callable[[int], None],
) -> tuple[bool, bool]:
    """From the stored cursor to the end: whether by us, and not by another who has taken it over
    meanwhile; and whether it was said."""
    try:
        for batch in rows_left(migration, taken.get("cursor")):
            changed = sum(migrate_row(migration, row) for row in batch)
            checkpoint("data_migration.changed")
            records.advance(
                migration, holder=holder, cursor=batch[-1]["_id"], seen=len(batch), changed=changed
            )
            checkpoint("data_migration.stored")
            advance(len(batch))
        is_said = everything_changed()
        records.finish(migration, holder=holder)
    except LeaseLostError:
        return False, True
    except RowError as fault:
        with suppress(LeaseLostError):  # whoever has it now will meet the row too
            records.fail(migration, holder=holder, fault=str(fault))
        raise MigrationFailedError(migration.label, str(fault)) from fault
    return True, is_said
