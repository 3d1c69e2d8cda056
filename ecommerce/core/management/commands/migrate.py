"""`manage.py migrate`: make the indexes that the documents declare, and change what is stored."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.db.migrations.autodetector import MigrationAutodetector

from ecommerce.core.commands import ShopCommand
from ecommerce.core.data_migrations import (
    DataMigration,
    MigrationError,
    Outcome,
    Phase,
    Planned,
    declared,
    plan,
    run,
)
from ecommerce.core.indexes import ensure_indexes
from ecommerce.core.mongo import collection
from ecommerce.core.query_shapes import purposes_by_index, query_shapes
from ecommerce.core.response_cache.topics import UNTOLD


class Command(ShopCommand):
    """Safe to repeat, and by several at once; run it before the server starts."""

    autodetector = MigrationAutodetector  # a system check of Django's wants the name to be there
    help = (
        "Make every declared index that is missing, then run each data migration that has not run. "
        "Safe to repeat; of several that are started at once one works and the others wait."
    )
    examples: ClassVar[str] = """
  manage.py migrate                 before a rollout, beside the present version
  manage.py migrate --plan          which data migrations have run, and which have not
  manage.py migrate --dry-run       also how many rows they would change; changes nothing
  manage.py migrate --contract      after it, when no older version runs any more
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether to do it, and what with it."""
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--plan", action="store_true", help="list data migrations, do nothing")
        only.add_argument("--dry-run", action="store_true", help="also count rows, do nothing")
        parser.add_argument(
            "--contract", action="store_true", help="also take away what older versions used"
        )
        parser.add_argument(
            "--wait", type=float, default=600, metavar="SECONDS",
            help="for another process that is at it (600)",
        )  # fmt: skip

    def run(self, **options: Any) -> None:
        """Indexes first: a data migration may look for something by one."""
        try:
            if options["plan"] or options["dry_run"]:
                self._show(count=options["dry_run"])
                return
            self._make_indexes()
            self._change_data(contract=options["contract"], wait=options["wait"])
        except MigrationError as fault:
            raise CommandError(str(fault)) from None

    def _make_indexes(self) -> None:
        """Refuses with a list when existing duplicates forbid a unique index."""
        purposes = purposes_by_index(query_shapes())
        for name in ensure_indexes():
            self.stdout.write(f"ok  {name:32}  {'; '.join(purposes.get(name, []))}".rstrip())

    def _change_data(self, *, contract: bool, wait: float) -> None:
        planned, unknown = plan(declared())
        self._name_unknown(unknown)
        due = [one.migration for one in planned if not one.is_done]
        asked = [one for one in due if contract or one.phase is Phase.EXPAND]
        with self.progress("rows", sum(_rows(one) for one in asked)) as advance:
            for outcome in run(asked, wait=wait, advance=advance):
                self.stdout.write(_said(outcome))
                if not outcome.is_said:
                    self.stdout.write(f"      {UNTOLD}.")
        for left in due:
            if left not in asked:
                self.stdout.write(f"later  {left.label}: run --contract when no old version runs")

    def _show(self, *, count: bool) -> None:
        planned, unknown = plan(declared())
        self._name_unknown(unknown)
        if not planned:
            self.stdout.write("There are no data migrations.")
        for one in planned:
            self.stdout.write(f"{one.state:8} {one.migration.phase:9} {one.migration.label}")
            if one.row and (fault := one.row.get("fault")):
                self.stdout.write(f"         failed at {fault}")
            if count and not one.is_done:
                self._count(one)

    def _count(self, one: Planned) -> None:
        seen, due, faults = one.tried()
        self.stdout.write(f"         would change {due} of {seen} rows that are left")
        for fault in faults[:10]:
            self.stdout.write(f"         would fail at {fault}")

    def _name_unknown(self, unknown: list[str]) -> None:
        for label in unknown:
            self.stdout.write(f"newer  {label}: of a newer version than this one")


def _rows(migration: DataMigration) -> int:
    return collection(migration.document).estimated_document_count()


def _said(outcome: Outcome) -> str:
    row, label = outcome.row, outcome.migration.label
    if not outcome.ours:
        return f"done  {label}: by another process"
    return f"done  {label}: {row['changed']} of {row['seen']} rows changed"
