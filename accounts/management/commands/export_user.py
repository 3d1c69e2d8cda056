"""`manage.py export_user`: all that is stored about a user."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from accounts.selectors import user_by_login
from accounts.services import ExportService
from ecommerce.core.commands import ShopCommand


class Command(ShopCommand):
    """The same JSON that the user gets at /users/me/export; recorded in the audit log."""

    help = "Export all that is stored about a user, as JSON."
    examples: ClassVar[str] = """
  manage.py export_user alice alice.json
  manage.py export_user alice@example.com > alice.json
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whom, and where to."""
        parser.add_argument("login", help="username or email address")
        parser.add_argument("file", type=Path, nargs="?", help="standard output if left out")

    def run(self, **options: Any) -> None:
        """Write it; a file is readable by its owner alone."""
        user = user_by_login(options["login"])
        pieces = ExportService.export(user_id=user["_id"])
        path: Path | None = options["file"]
        if path is None:
            sys.stdout.writelines(piece.decode() for piece in pieces)
            sys.stdout.write("\n")
            return
        with os.fdopen(_opened_for_the_owner_alone(path), "wb") as file:
            file.writelines(pieces)
        self.stdout.write(f"All about {user['username']} is in {path}.")


def _opened_for_the_owner_alone(path: Path) -> int:
    """The file, empty; nobody else reads it any more, though it was there and they could."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor
