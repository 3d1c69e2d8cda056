"""`manage.py users`: look at accounts and change what only an operator may."""

import json
from argparse import ArgumentParser
from typing import Any, ClassVar, Final

from accounts.presenters import present_user
from accounts.selectors import every_user, user_by_login
from accounts.services import UserService
from ecommerce.core.commands import ShopCommand

_FLAGS: Final = {
    "promote": ("is_staff", True, "is staff"),
    "demote": ("is_staff", False, "is not staff"),
    "activate": ("is_active", True, "is active"),
    "deactivate": ("is_active", False, "is not active"),
}


class Command(ShopCommand):
    """Each action says what it did; asked for what is already so, it says that too."""

    help = "List, show, promote, demote, deactivate and activate users."
    examples: ClassVar[str] = """
  manage.py users list --staff
  manage.py users show alice
  manage.py users promote alice           gives staff rights
  manage.py users deactivate alice --yes  signs alice out everywhere, without asking
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One subcommand for each action."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listing = actions.add_parser("list", help="every user, newest first")
        listing.add_argument("--staff", action="store_true", help="staff only")
        listing.add_argument("--inactive", action="store_true", help="inactive users only")
        listing.add_argument("--json", action="store_true", help="one JSON object a line")
        actions.add_parser("show", help="one user").add_argument("login")
        for name, (_, value, text) in _FLAGS.items():
            action = actions.add_parser(name, help=f"afterwards the user {text}")
            action.add_argument("login", help="username or email address")
            if not value:
                action.add_argument("--yes", action="store_true", help="do not ask")

    def run(self, **options: Any) -> None:
        """Do the one action."""
        if options["action"] == "list":
            self._list(options)
        elif options["action"] == "show":
            self._show(options)
        else:
            self._set_flag(options)

    def _list(self, options: dict[str, Any]) -> None:
        for user in every_user(staff_only=options["staff"], inactive_only=options["inactive"]):
            if options["json"]:
                self.stdout.write(json.dumps(present_user(user), default=str))
            else:
                marks = f"{'staff' if user['is_staff'] else '':6}"
                state = "" if user["is_active"] else "inactive"
                self.stdout.write(f"{user['_id']}  {user['username']:30} {marks} {state}".rstrip())

    def _show(self, options: dict[str, Any]) -> None:
        for name, value in present_user(user_by_login(options["login"])).items():
            self.stdout.write(f"{name:12} {value}")

    def _set_flag(self, options: dict[str, Any]) -> None:
        field, value, text = _FLAGS[options["action"]]
        user = user_by_login(options["login"])
        name = user["username"]
        if user[field] == value:  # type: ignore[literal-required]
            self.stdout.write(f"{name} {text} already: nothing was changed.")
            return
        if not value:
            self.confirm(f"{name} will be signed out everywhere. Go on?", yes=options["yes"])
        UserService.set_flags(user=user, **{field: value})
        self.stdout.write(f"{name} {text} now.")
