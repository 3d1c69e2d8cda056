"""How the commands of accounts ask a person for a password."""

import os
import sys
from getpass import getpass
from typing import Final

from django.core.management.base import CommandError

from ecommerce.core.commands import asking

PASSWORD_VARIABLE: Final = "DJANGO_SUPERUSER_PASSWORD"  # noqa: S105 - the name of a variable


def ask_password(*, variable: str, from_stdin: bool = False, may_ask: bool = True) -> str:
    """A new password: from standard input, from the environment, or typed twice.

    Args:
        may_ask: false is the --noinput option.

    Raises:
        CommandError: the two differ, or nobody is there to type or may be asked.
    """
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if variable in os.environ:
        return os.environ[variable]
    if not may_ask:
        raise CommandError(f"--noinput asks for no password: set {variable}, or use --stdin.")
    if not sys.stdin.isatty():
        raise CommandError(f"Nobody can type a password here: set {variable}, or use --stdin.")
    with asking():
        first, second = getpass("New password: "), getpass("Again: ")
    if first != second:
        raise CommandError("The two passwords differ. Nothing was changed.")
    return first
