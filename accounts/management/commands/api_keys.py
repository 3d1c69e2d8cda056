"""`manage.py api_keys`: how machines get in, and how they are shut out."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any, ClassVar, Final

from accounts.documents import ApiKeyRow
from accounts.presenters import present_api_key
from accounts.rules import Scope
from accounts.selectors import user_by_login
from accounts.selectors.api_keys import (
    api_key,
    every_api_key,
    is_usable,
    living_api_key,
    usable_api_key,
)
from accounts.services import ApiKeyService
from ecommerce.core.commands import ShopCommand
from ecommerce.core.json_output import as_text
from ecommerce.core.mongo import utc_now

_MAX_DAYS: Final = 3650
_MAX_NAME: Final = 100


class Command(ShopCommand):
    """The text of a key goes to standard output alone and once; remarks go to standard error."""

    help = "Create, list, show, rotate and revoke the API keys of machines."
    examples: ClassVar[str] = """
  manage.py api_keys create "Price feed" --scope catalog:read --scope catalog:write
  manage.py api_keys create "Warehouse" --scope stock:write --days 90 --by ann > warehouse.key
  manage.py api_keys list
  manage.py api_keys rotate shop_1f2e3d4c5b6a   the old secret ends at once; to change without
                                                a gap, create a second key and revoke the first
  manage.py api_keys revoke shop_1f2e3d4c5b6a --yes
  curl -H "Authorization: Api-Key $(cat warehouse.key)" http://127.0.0.1:8000/products/
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One subcommand for each action."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        create = actions.add_parser("create", help="make a key and print it, this once")
        create.add_argument("name", type=_name, help="what it is for")
        create.add_argument(
            "--scope", dest="scopes", action="append", required=True,
            choices=list(map(str, Scope)), metavar="SCOPE",
            help=f"once for each of: {', '.join(Scope)}",
        )  # fmt: skip
        create.add_argument("--days", type=_days, default=365, help="valid for (default: 365)")
        create.add_argument("--by", metavar="LOGIN", help="the admin who asks for it")
        listing = actions.add_parser("list", help="every key, newest first")
        listing.add_argument("--json", action="store_true", help="one JSON object a line")
        texts = {"show": "one key", "rotate": "another secret", "revoke": "end a key for good"}
        for name, text in texts.items():
            action = actions.add_parser(name, help=text)
            action.add_argument("prefix", help="the part of the key before the dot")
            if name != "show":
                action.add_argument("--yes", action="store_true", help="do not ask")

    def run(self, **options: Any) -> None:
        """Do the one action."""
        getattr(self, f"_{options['action']}")(options)

    def _create(self, options: dict[str, Any]) -> None:
        key, text = ApiKeyService.create(
            name=options["name"],
            scopes=[Scope(scope) for scope in options["scopes"]],
            lifetime=timedelta(days=options["days"]),
            created_by=user_by_login(options["by"]) if options["by"] else None,
        )
        self._give(key, text)

    def _list(self, options: dict[str, Any]) -> None:
        for key in every_api_key():
            if options["json"]:
                self.stdout.write(json.dumps(present_api_key(key), default=as_text))
            else:
                scopes = ",".join(key["scopes"])
                self.stdout.write(f"{key['prefix']}  {_state(key):8} {key['name']:24} {scopes}")

    def _show(self, options: dict[str, Any]) -> None:
        for name, value in present_api_key(api_key(options["prefix"])).items():
            shown = ", ".join(value) if isinstance(value, list) else value
            self.stdout.write(f"{name:12} {'-' if shown is None else as_text(shown)}")

    def _rotate(self, options: dict[str, Any]) -> None:
        key = usable_api_key(options["prefix"])
        self._confirm(key, "get another secret; the present one ends at once", options)
        self._give(*ApiKeyService.rotate(prefix=options["prefix"]))

    def _revoke(self, options: dict[str, Any]) -> None:
        self._confirm(living_api_key(options["prefix"]), "be shut out for good", options)
        key = ApiKeyService.revoke(prefix=options["prefix"])
        self.stdout.write(f"{key['name']} ({key['prefix']}) is revoked.")

    def _confirm(self, key: ApiKeyRow, what: str, options: dict[str, Any]) -> None:
        self.confirm(f"{key['name']} will {what}. Go on?", yes=options["yes"])

    def _give(self, key: ApiKeyRow, text: str) -> None:
        self.stdout.write(text)
        self.stderr.write(
            f"Keep it: nobody can read it again. Valid until {key['expires_at']:%Y-%m-%d}."
        )


def _state(key: ApiKeyRow) -> str:
    if "revoked_at" in key:
        return "revoked"
    return "active" if is_usable(key, utc_now()) else "expired"


def _name(text: str) -> str:
    if not 0 < len(text.strip()) <= _MAX_NAME or not text.isprintable():
        raise ArgumentTypeError(f"give it a name of 1 to {_MAX_NAME} characters, on one line")
    return text.strip()


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MAX_DAYS:
        raise ArgumentTypeError(f"1 to {_MAX_DAYS} days, not {text!r}")
    return int(text)
