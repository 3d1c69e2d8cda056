"""Commands of `manage.py`, in the process of the tests."""

from io import StringIO
from typing import Any

from django.core.management import call_command


def run(*arguments: str, **options: Any) -> str:
    """What a command prints."""
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()
