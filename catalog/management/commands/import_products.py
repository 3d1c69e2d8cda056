"""`manage.py import_products`: products from a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError

from catalog.documents import FileFormat
from catalog.importing import (
    RowImporter,
    RowResult,
    Tally,
    UnreadableFileError,
    file_source,
    inspected,
    read_rows,
)
from ecommerce.core.commands import ShopCommand
from ecommerce.core.indexes import ensure_indexes


class Command(ShopCommand):
    """Exit codes: 0 all came in, 1 some rows did not, 2 the file cannot be read.

    Reads the file row by row, so it may have any size.
    """

    help = "Import products from Shopify's CSV, JSON or JSON Lines: new ones, and changes by sku."
    examples: ClassVar[str] = """
  manage.py import_products products.csv --dry-run     says what would happen
  manage.py import_products products.csv
  manage.py import_products export.jsonl
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which file, and how."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check all, write nothing")
        parser.add_argument(
            "--format", choices=list(map(str, FileFormat)), default="", help="if not clear"
        )

    def run(self, **options: Any) -> None:
        """Good rows come in; faulty ones are listed with their lines."""
        path, dry_run = options["file"], options["dry_run"]
        try:
            source, total = inspected(file_source(path, format_name=options["format"]))
        except UnreadableFileError as fault:
            raise CommandError(f"{path}: {fault}", returncode=2) from None
        ensure_indexes()
        tally, importer = Tally(), RowImporter(dry_run=dry_run)
        with self.progress("importing", total) as advance:
            for result in map(importer.bring_in, read_rows(source)):
                tally.note(result.outcome, result.row.not_kept)
                self._say(result)
                advance(1)
        self._sum_up(tally, dry_run=dry_run)
        if failed := tally.outcomes["failed"]:
            raise CommandError(f"{failed} of {total} products did not come in.")

    def _say(self, result: RowResult) -> None:
        for warning in result.row.warnings:
            self.stdout.write(f"{result.place}: {warning}")
        if result.faults:
            named = [": ".join(filter(None, (f.pointer[1:], f.detail))) for f in result.faults]
            self.stdout.write(f"{result.place}: {'; '.join(named)}")

    def _sum_up(self, tally: Tally, *, dry_run: bool) -> None:
        if tally.not_kept:
            parts = [f"{name} ({count})" for name, count in tally.not_kept.most_common()]
            self.stdout.write(f"Not kept, a product has no place for it: {', '.join(parts)}.")
        would, count = " would be" if dry_run else "", tally.outcomes
        self.stdout.write(
            f"{count['created']}{would} created, {count['updated']}{would} updated, "
            f"{count['unchanged']} unchanged, {count['failed']} faulty."
        )
