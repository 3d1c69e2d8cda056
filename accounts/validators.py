"""What a password may not be, beyond Django's own validators."""

import hashlib
import logging
import mmap
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError

logger = logging.getLogger(__name__)


class BreachedPasswordValidator:
    """Refuses passwords of the list in BREACHED_PASSWORDS_FILE; without that setting, none.

    The file holds one SHA-1 a line in hexadecimal, ascending, as the download of Have I Been Pwned
    has it: whole or its first digits, with or without `:count` behind. It may be larger than the
    memory: it is searched where it lies, in about 30 steps for a thousand million lines.
    """

    def validate(self, password: str, user: object = None) -> None:  # noqa: ARG002
        """Look the password up.

        Raises:
            ValidationError: it is in the list.
        """
        path: Path | None = settings.BREACHED_PASSWORDS_FILE
        if path is not None and _is_listed(path, password):
            raise ValidationError(self.get_help_text(), code="password_breached")

    def get_help_text(self) -> str:
        """What to do instead."""
        return "This password is known from a data breach: choose one that is used nowhere else."


def _is_listed(path: Path, password: str) -> bool:
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as lines:
            entry = _last_not_after(lines, digest)
    except (OSError, ValueError):  # gone since the start: the other rules still hold
        logger.exception("BREACHED_PASSWORDS_FILE cannot be read: passwords pass it")
        return False
    return bool(entry) and digest.startswith(entry)


def _last_not_after(lines: mmap.mmap, digest: bytes) -> bytes:
    """The last entry of the ascending file that is not greater than `digest`; empty if none is."""
    low, high, found = 0, len(lines), b""
    while low < high:
        middle = (low + high) // 2
        start = lines.rfind(b"\n", low, middle) + 1 or low
        end = lines.find(b"\n", middle)
        end = len(lines) if end < 0 else end
        entry = lines[start:end].partition(b":")[0].strip().upper()
        if entry and entry <= digest:  # an empty line can only be the last
            low, found = end + 1, entry
        else:
            high = start
    return found
