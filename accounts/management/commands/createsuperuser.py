"""`manage.py createsuperuser`: an admin, which no API call can make."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import CommandError
from rest_framework.exceptions import ValidationError

from accounts.management.terminal import PASSWORD_VARIABLE, ask_password
from accounts.roles import Role
from accounts.serializers import RegistrationInput
from accounts.services import UserService
from ecommerce.core.commands import ShopCommand, asking
from ecommerce.core.indexes import ensure_indexes
from ecommerce.core.problems import field_errors


class Command(ShopCommand):
    """The same rules as registration over the API."""

    help = "Create an admin. Asks for what the options do not give."
    examples: ClassVar[str] = f"""
  manage.py createsuperuser
  manage.py createsuperuser --username ann --email ann@shop.example
  echo "$SECRET" | manage.py createsuperuser --username ann --email ann@shop.example --stdin
  {PASSWORD_VARIABLE}=... manage.py createsuperuser --noinput --username ann --email a@b.example
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who, and where the password comes from."""
        parser.add_argument("--username")
        parser.add_argument("--email")
        parser.add_argument("--stdin", action="store_true", help="read the password from stdin")
        parser.add_argument("--noinput", action="store_true", help="never ask: fail instead")

    def run(self, **options: Any) -> None:
        """Validate as registration does, then create."""
        ensure_indexes()
        given = {name: self._given(name, options) for name in ("username", "email")}
        given["password"] = ask_password(
            variable=PASSWORD_VARIABLE,
            from_stdin=options["stdin"],
            may_ask=not options["noinput"],
        )
        serializer = RegistrationInput(data=given)
        try:
            serializer.is_valid(raise_exception=True)
        except ValidationError as problem:
            faults = field_errors(problem.detail)
            text = " ".join(f"{fault.pointer.lstrip('/')}: {fault.detail}" for fault in faults)
            raise CommandError(text) from None
        user = UserService.register(**serializer.validated_data, email_verified=True)
        UserService.set_role(user=user, role=Role.ADMIN)
        self.stdout.write(f"Created admin {user['username']} ({user['_id']}).")

    def _given(self, name: str, options: dict[str, Any]) -> str:
        value = options[name]
        if value is None and options["noinput"]:
            raise CommandError(f"--{name} is needed with --noinput.")
        if value is not None:
            return str(value)
        with asking():
            return self.ask(f"{name.capitalize()}:").strip()
