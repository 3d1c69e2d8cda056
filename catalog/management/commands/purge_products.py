"""`manage.py purge_products`: remove for good what was deleted long ago."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any, ClassVar

from django.core.management.base import CommandError

from catalog.selectors import count_deleted_products, deleted_products
from catalog.services import ProductService
from ecommerce.core.commands import ShopCommand
from ecommerce.core.mongo import utc_now

_MOST_DAYS = 36_500


class Command(ShopCommand):
    """Safe to repeat and to stop; carts go on showing the lines as unavailable."""

    help = "Remove for good the products that were deleted more than so many days ago."
    examples: ClassVar[str] = """
  manage.py purge_products --older-than 90 --dry-run     says how many there are
  manage.py purge_products --older-than 90
  manage.py purge_products --older-than 90 --yes         asks nothing, for cron
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How old, and how sure."""
        parser.add_argument("--older-than", type=int, required=True, metavar="DAYS")
        parser.add_argument("--dry-run", action="store_true", help="count, remove nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def run(self, **options: Any) -> None:
        """Look, ask, remove."""
        days: int = options["older_than"]
        if not 0 <= days <= _MOST_DAYS:
            raise CommandError(f"--older-than is 0 to {_MOST_DAYS} days.", returncode=2)
        before = utc_now() - timedelta(days=days)
        count = count_deleted_products(before=before)
        if options["dry_run"]:
            self.stdout.write(f"{count} products would be removed.")
            return
        self.confirm(f"Remove {count} products for good?", yes=options["yes"] or not count)
        removed = 0
        with self.progress("removing", count) as advance:
            for row in deleted_products(before=before):
                removed += ProductService.purge(before_version_of=row)
                advance(1)
        self.stdout.write(f"{removed} products removed.")
