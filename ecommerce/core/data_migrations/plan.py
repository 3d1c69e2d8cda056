"""What `migrate` would do, without doing it."""

from collections.abc import Iterable
from dataclasses import dataclass

from ecommerce.core.data_migrations import records
from ecommerce.core.data_migrations.declared import DataMigration
from ecommerce.core.data_migrations.rows import RowError, rows_left, wanted
from ecommerce.core.documents.data_migrations import DataMigrationRow, MigrationState


@dataclass(frozen=True, slots=True)
class Planned:
    """A migration and how far it is."""

    migration: DataMigration
    row: DataMigrationRow | None

    @property
    def state(self) -> str:
        """As the record says; waiting where there is none."""
        return self.row["state"] if self.row else MigrationState.WAITING

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.state == MigrationState.DONE

    def tried(self) -> tuple[int, int, list[str]]:
        """Rows to look at, rows that would be changed, and what would fail; nothing is written."""
        seen = due = 0
        faults = []
        for batch in rows_left(self.migration, self.row.get("cursor") if self.row else None):
            for row in batch:
                seen += 1
                try:
                    due += wanted(self.migration, row) is not None
                except RowError as fault:
                    faults.append(str(fault))
        return seen, due, faults


def plan(migrations: Iterable[DataMigration]) -> tuple[list[Planned], list[str]]:
    """How far each is; and the records of a newer program, which this one does not know.

    Raises:
        MigrationError: a number was used twice.
    """
    known = records.known()
    found = [Planned(one, known.pop(one.number, None)) for one in migrations]
    for one in found:
        if one.row is not None:
            records.refuse_another_name(one.migration, one.row)
    return found, [f"{number:04} {row['name']}" for number, row in known.items()]
