"""`manage.py changepassword`: set a user's password as the operator."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from accounts.management.terminal import ask_password
from accounts.selectors import user_by_login
from accounts.services import PasswordService
from ecommerce.core.commands import ShopCommand


class Command(ShopCommand):
    """Ends every session of the user."""

    help = "Set the password of a user; every session of theirs ends."
    examples: ClassVar[str] = """
  manage.py changepassword alice
  echo "$SECRET" | manage.py changepassword alice@example.com --stdin
  NEW_PASSWORD=... manage.py changepassword alice         asks nothing
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, and where the password comes from."""
        parser.add_argument("login", help="username or email address")
        parser.add_argument("--stdin", action="store_true", help="read the password from stdin")

    def run(self, **options: Any) -> None:
        """Set it."""
        user = user_by_login(options["login"])
        password = ask_password(variable="NEW_PASSWORD", from_stdin=options["stdin"])
        PasswordService.set(user=user, password=password)
        self.stdout.write(f"The password of {user['username']} is set; their sessions have ended.")
