"""`manage.py restore`: what a backup holds, instead of what is stored."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError

from ecommerce.core.backups import BackupError, BackupFile, restore, what_is_stored
from ecommerce.core.commands import ShopCommand
from ecommerce.core.response_cache.topics import UNTOLD


class Command(ShopCommand):
    """Destroys what is there, so it asks, and reads the whole backup before it touches anything."""

    help = (
        "Replace all that is stored by what a backup holds. No server may run. The embedded store "
        "is replaced in one step; who is interrupted on a MongoDB begins again."
    )
    examples: ClassVar[str] = """
  manage.py restore shop.backup           into an empty store; asks where something is stored
  manage.py restore shop.backup --yes     asks nothing
  manage.py migrate                       afterwards: the backup may be of an older version
  manage.py verify_invariants             and is all in order?
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where from."""
        parser.add_argument("file", type=Path, help="what `backup` has written")
        parser.add_argument("--yes", action="store_true", help="replace what is stored, do not ask")

    def run(self, **options: Any) -> None:
        """Verify, ask, replace."""
        try:
            backup = BackupFile(options["file"])
            with self.progress("read", backup.documents) as advance:
                backup.verify(advance)
            self._ask(yes=options["yes"])
            with self.progress("restored", backup.documents) as advance:
                is_said = restore(backup, advance)
        except BackupError as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(
            f"Restored {backup.documents} documents of {backup.about['made_at']}. "
            "Now run: manage.py migrate, then manage.py verify_invariants."
        )
        if not is_said:
            self.stdout.write(
                f"{UNTOLD}. Start the servers later than that, or make it void: docs/backup.md "
                "says how."
            )

    def _ask(self, *, yes: bool) -> None:
        try:
            count = sum(what_is_stored().values())
        except BackupError as damage:
            self.confirm(f"{damage} Replace it?", yes=yes)
            return
        if count:
            self.confirm(f"{count} documents are stored and will be lost. Replace them?", yes=yes)
