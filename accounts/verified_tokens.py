"""Access tokens that this process has verified: a signature is checked once, its expiry each time.

SimpleJWT takes 60 microseconds to verify a token that comes with every call of its user, 3 of them
for what this table still asks: is it known, under the keys of now, and does it live? Whether the
user is still in is another question, and is asked on every request (`selectors.principal`).
"""

import time
from collections.abc import Sequence
from hashlib import blake2b
from threading import Lock
from typing import Final

from accounts.claims import AccessClaims
from accounts.signing import SigningKey

MAX_TOKENS: Final = 10_000
"""About 5 MB. The one that was verified first makes room; it is verified again if it comes."""


class VerifiedTokens:
    """Claims by the digest of their token: no token is held that could be stolen from memory."""

    def __init__(self, max_tokens: int = MAX_TOKENS) -> None:
        self._claims: dict[tuple[Sequence[SigningKey], bytes], AccessClaims] = {}
        self._lock = Lock()
        self._max_tokens = max_tokens

    def __len__(self) -> int:
        return len(self._claims)

    def claims(self, token: bytes, keys: Sequence[SigningKey]) -> AccessClaims | None:
        """What a token says that these keys have verified, until it expires."""
        known = self._claims.get((keys, _digest(token)))
        return known if known is not None and known.expires_at > time.time() else None

    def remember(self, token: bytes, keys: Sequence[SigningKey], claims: AccessClaims) -> None:
        """Keep what was verified just now."""
        with self._lock:
            self._claims[keys, _digest(token)] = claims
            while len(self._claims) > self._max_tokens:
                del self._claims[next(iter(self._claims))]


def _digest(token: bytes) -> bytes:
    return blake2b(token, digest_size=32).digest()
