"""`manage.py worker`: imports files beside the servers."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import CommandError

from catalog.importing import worker
from ecommerce.core.commands import ShopCommand


class Command(ShopCommand):
    """Runs until SIGTERM or Ctrl-C: the row under way is finished, another process goes on."""

    help = "Import files that are sent to POST /products/imports, as many processes as you like."
    examples: ClassVar[str] = """
  manage.py worker
  manage.py worker --threads 4            four files at once
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How much at once."""
        parser.add_argument("--threads", type=int, default=2, metavar="N", help="files at once (2)")

    def run(self, **options: Any) -> None:
        """Does not return before it is told to stop."""
        if not worker.may_exist():
            raise CommandError(
                "Workers need a MongoDB and a Redis: set MONGODB_URI and REDIS_URL. Without them "
                "the server imports files itself."
            )
        worker.run(threads=options["threads"])
