"""`manage.py import_products`: products from a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError

from catalog.importing import Report, UnreadableFileError, import_rows, read_rows
from ecommerce.core.commands import ShopCommand
from ecommerce.core.indexes import ensure_indexes


class Command(ShopCommand):
    """Exit codes: 0 all came in, 1 some rows did not, 2 the file cannot be read."""

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
            "--format", choices=["shopify", "json"], default="", help="if not clear"
        )

    def run(self, **options: Any) -> None:
        """Good rows come in; faulty ones are listed with their lines."""
        try:
            rows = read_rows(options["file"], format_name=options["format"])
        except UnreadableFileError as fault:
            raise CommandError(str(fault), returncode=2) from None
        ensure_indexes()
        with self.progress("importing", len(rows)) as advance:
            report = import_rows(rows, dry_run=options["dry_run"], progress=lambda: advance(1))
        self._say(report, dry_run=options["dry_run"])
        if report.faults:
            raise CommandError(f"{len(report.faults)} of {report.total} products did not come in.")

    def _say(self, report: Report, *, dry_run: bool) -> None:
        for line in [*report.warnings, *report.faults]:
            self.stdout.write(line)
        if report.left_out:
            parts = [f"{name} ({count})" for name, count in report.left_out.most_common()]
            self.stdout.write(f"Not kept, a product has no place for it: {', '.join(parts)}.")
        would = " would be" if dry_run else ""
        self.stdout.write(
            f"{report.created}{would} created, {report.updated}{would} updated, "
            f"{report.unchanged} unchanged, {len(report.faults)} faulty."
        )
