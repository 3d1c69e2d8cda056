"""The secret of a guest's cart: answered once, and stored only as its hash."""

import hashlib
import re
from typing import Final

_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
"""256 bits in base64."""


def hash_of(token: str) -> str | None:
    """What is stored of a secret; None if no cart can have this one."""
    if not _WELL_FORMED.fullmatch(token):
        return None
    return hashlib.sha256(token.encode("ascii")).hexdigest()
