"""`manage.py import_categories`: a tree of categories from a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError

from catalog.importing import UnreadableFileError
from catalog.importing.categories import CategoryReport, import_categories
from catalog.importing.category_files import read_categories
from ecommerce.core.commands import ShopCommand
from ecommerce.core.indexes import ensure_indexes


class Command(ShopCommand):
    """Exit codes: 0 all came in, 1 some did not, 2 the file cannot be read."""

    help = (
        "Import categories from JSON, JSON Lines or either of them packed by gzip: our own export, "
        "or a list of categories with an id, a name and a path from the root. Safe to repeat."
    )
    examples: ClassVar[str] = """
  manage.py import_categories categories.json.gz --dry-run     says what would happen
  manage.py import_categories categories.json.gz
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which file, and how."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check all, write nothing")

    def run(self, **options: Any) -> None:
        """Good ones come in; faulty ones are listed with their places."""
        try:
            entries = read_categories(options["file"])
        except UnreadableFileError as fault:
            raise CommandError(f"{options['file']}: {fault}", returncode=2) from None
        ensure_indexes()
        with self.progress("importing", len(entries)) as advance:
            report = import_categories(entries, dry_run=options["dry_run"], progress=advance)
        self._say(report, dry_run=options["dry_run"])
        if report.faults:
            raise CommandError(
                f"{len(report.faults)} of {report.total} categories did not come in."
            )

    def _say(self, report: CategoryReport, *, dry_run: bool) -> None:
        for line in [*report.warnings, *report.faults]:
            self.stdout.write(line)
        would = " would be" if dry_run else ""
        self.stdout.write(
            f"{report.created}{would} created, {report.updated}{would} updated, "
            f"{report.unchanged} unchanged, {len(report.faults)} faulty."
        )
