"""`manage.py erase_user`: a user goes, with everything that is stored about them."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandError

from accounts.selectors import unfinished_erasures, user_by_login
from accounts.services import ErasureService
from ecommerce.core.commands import ShopCommand


class Command(ShopCommand):
    """Also finishes what was interrupted: an erasure that has begun is never taken back."""

    help = "Erase a user with sessions, carts and traces in the audit log. Cannot be undone."
    examples: ClassVar[str] = """
  manage.py erase_user alice
  manage.py erase_user alice@example.com --yes
  manage.py erase_user --unfinished       finishes those that were interrupted
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whom."""
        parser.add_argument("login", nargs="?", help="username or email address")
        parser.add_argument("--unfinished", action="store_true", help="those that were interrupted")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def run(self, **options: Any) -> None:
        """Ask, erase, say so."""
        if options["unfinished"]:
            finished = ErasureService.finish(unfinished_erasures())
            self.stdout.write(f"{finished} erasures finished.")
        elif options["login"]:
            self._erase(options["login"], yes=options["yes"])
        else:
            raise CommandError("Say whom: a username, an email address, or --unfinished.")

    def _erase(self, login: str, *, yes: bool) -> None:
        user = user_by_login(login)
        name = user["username"]
        self.confirm(f"All that is stored about {name} will be gone. Go on?", yes=yes)
        if settings.ERASURE_SWEEP_SECONDS:
            self.stdout.write(
                f"This waits {settings.ERASURE_SWEEP_SECONDS:g} seconds for what is under way."
            )
        ErasureService.erase(guard={"_id": user["_id"]}, waits=True)
        self.stdout.write(f"{name} is erased.")
