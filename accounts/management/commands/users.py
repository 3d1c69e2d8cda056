"""`manage.py users`: look at accounts and change what only an operator may."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, ClassVar, Final

from django.core.management.base import CommandError

from accounts.documents import UserRow
from accounts.presenters import present_user
from accounts.roles import Role, role_of
from accounts.selectors import every_user, user_by_login
from accounts.services import UserService
from ecommerce.core.commands import ShopCommand
from ecommerce.core.json_output import as_text

_IS: Final = {Role.CUSTOMER: "is a customer", Role.STAFF: "is staff", Role.ADMIN: "is an admin"}


class Command(ShopCommand):
    """Each action says what it did; asked for what is already so, it says that too."""

    help = "List, show, promote, demote, deactivate and activate users."
    examples: ClassVar[str] = """
  manage.py users list --staff
  manage.py users show alice
  manage.py users promote alice           makes alice staff
  manage.py users promote alice admin     who also ends sessions of others
  manage.py users demote alice            makes alice a customer and signs her out everywhere
  manage.py users deactivate alice --yes  signs alice out everywhere, without asking
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One subcommand for each action."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listing = actions.add_parser("list", help="every user, newest first")
        listing.add_argument("--staff", action="store_true", help="staff and admins only")
        listing.add_argument("--inactive", action="store_true", help="inactive users only")
        listing.add_argument("--json", action="store_true", help="one JSON object a line")
        actions.add_parser("show", help="one user").add_argument("login")
        roles = {"promote": (Role.STAFF, Role.ADMIN), "demote": (Role.CUSTOMER, Role.STAFF)}
        for name, choices in roles.items():
            action = actions.add_parser(name, help=f"give a {_direction(name)} role")
            action.add_argument("login", help="username or email address")
            action.add_argument(
                "role", nargs="?", choices=list(map(str, choices)), default=choices[0],
                metavar="ROLE", help=f"{' or '.join(choices)}; {choices[0]} unless said",
            )  # fmt: skip
            action.add_argument("--yes", action="store_true", help="do not ask")
        for name in ("activate", "deactivate"):
            action = actions.add_parser(name, help=f"afterwards the user {_active(name)}")
            action.add_argument("login", help="username or email address")
            if name == "deactivate":
                action.add_argument("--yes", action="store_true", help="do not ask")

    def run(self, **options: Any) -> None:
        """Do the one action."""
        actions: dict[str, Callable[[dict[str, Any]], None]] = {
            "list": self._list, "show": self._show, "promote": self._set_role,
            "demote": self._set_role, "activate": self._set_active, "deactivate": self._set_active,
        }  # fmt: skip
        actions[options["action"]](options)

    def _list(self, options: dict[str, Any]) -> None:
        for user in every_user(staff_only=options["staff"], inactive_only=options["inactive"]):
            if options["json"]:
                self.stdout.write(json.dumps(present_user(user), default=as_text))
            else:
                state = "" if user["is_active"] else "inactive"
                self.stdout.write(
                    f"{user['_id']}  {user['username']:30} {role_of(user):8} {state}".rstrip()
                )

    def _show(self, options: dict[str, Any]) -> None:
        for name, value in present_user(user_by_login(options["login"])).items():
            self.stdout.write(f"{name:12} {as_text(value)}")

    def _set_role(self, options: dict[str, Any]) -> None:
        user, role = user_by_login(options["login"]), Role(options["role"])
        action = options["action"]
        name, present = user["username"], role_of(user)
        if present is role:
            self.stdout.write(f"{name} {_IS[role]} already: nothing was changed.")
            return
        if (role.rank > present.rank) is not (action == "promote"):
            other = "demote" if action == "promote" else "promote"
            raise CommandError(
                f"{name} {_IS[present]}: use `manage.py users {other} {name} {role}`."
            )
        if action == "demote":
            self._confirm(user, options)
        UserService.set_role(user=user, role=role)
        self.stdout.write(f"{name} {_IS[role]} now.")

    def _set_active(self, options: dict[str, Any]) -> None:
        user, wanted = user_by_login(options["login"]), options["action"] == "activate"
        name, text = user["username"], _active(options["action"])
        if user["is_active"] == wanted:
            self.stdout.write(f"{name} {text} already: nothing was changed.")
            return
        if not wanted:
            self._confirm(user, options)
        UserService.set_active(user=user, is_active=wanted)
        self.stdout.write(f"{name} {text} now.")

    def _confirm(self, user: UserRow, options: dict[str, Any]) -> None:
        question = f"{user['username']} will be signed out everywhere. Go on?"
        self.confirm(question, yes=options["yes"])


def _direction(action: str) -> str:
    return "higher" if action == "promote" else "lower"


def _active(action: str) -> str:
    return "is active" if action == "activate" else "is not active"
