"""`manage.py backup`: all that is stored, in one file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError

from ecommerce.core.backups import BackupError, BackupFile, source, write_backup
from ecommerce.core.commands import ShopCommand


class Command(ShopCommand):
    """Reads only; a server may run meanwhile."""

    help = (
        "Write all that is stored into one file, and read that through. The embedded store may be "
        "in use: the file shows one moment. Of a MongoDB in use it shows none: docs/backup.md."
    )
    examples: ClassVar[str] = """
  manage.py backup shop.backup                 the store of the settings
  manage.py backup shop.backup --yes           replaces the file if it is there
  manage.py backup shop.backup --verify        only reads a file that was made before
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to."""
        parser.add_argument("file", type=Path, help="what to write")
        parser.add_argument("--verify", action="store_true", help="read it, write nothing")
        parser.add_argument("--yes", action="store_true", help="replace the file, do not ask")

    def run(self, **options: Any) -> None:
        """The file gets its name when it is whole."""
        path: Path = options["file"]
        try:
            backup = (
                self._verified(path) if options["verify"] else self._made(path, yes=options["yes"])
            )
        except BackupError as refusal:
            raise CommandError(str(refusal)) from None
        for name, entry in backup.manifest.items():
            self.stdout.write(f"{name:24} {entry.documents:8}  {entry.sha256}")
        done = "is whole" if options["verify"] else "is written and read through"
        self.stdout.write(
            f"{path} {done}: {backup.documents} documents, {path.stat().st_size:,} bytes, "
            f"of {backup.about['made_at']}."
        )

    def _made(self, path: Path, *, yes: bool) -> BackupFile:
        if path.exists():
            self.confirm(f"{path} is there already. Replace it?", yes=yes)
        with source() as stored, self.progress("documents", sum(stored.counts().values())) as step:
            return write_backup(path, stored, step)

    def _verified(self, path: Path) -> BackupFile:
        backup = BackupFile(path)
        with self.progress("documents", backup.documents) as advance:
            backup.verify(advance)
        return backup
