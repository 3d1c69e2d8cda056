"""`manage.py clear_expired_carts`: delete what the TTL index has not come to yet."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from carts.selectors import count_expired_carts
from carts.services import ShoppingCartService
from ecommerce.core.commands import ShopCommand


class Command(ShopCommand):
    """Nobody sees expired carts any more; this frees their room now, in bounded batches."""

    help = "Delete carts that have expired: 30 days after a guest's last change, 90 after a user's."
    examples: ClassVar[str] = """
  manage.py clear_expired_carts --dry-run   says how many there are
  manage.py clear_expired_carts             deletes them, in batches
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether to delete."""
        parser.add_argument("--dry-run", action="store_true", help="count them, delete nothing")

    def run(self, **options: Any) -> None:
        """Count, or delete."""
        found = count_expired_carts()
        if options["dry_run"]:
            self.stdout.write(f"{found} expired carts: nothing was deleted.")
            return
        deleted = 0
        with self.progress("expired carts", found) as advance:
            for batch in ShoppingCartService.delete_expired():
                deleted += batch
                advance(batch)
        self.stdout.write(f"{deleted} expired carts deleted.")
