"""The keys that tokens are signed with, derived from SECRET_KEY and from those before it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

from django.conf import settings
from django.utils.crypto import salted_hmac

_KID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key, and the name by which what it signed is found again."""

    kid: str
    secret: bytes = field(repr=False)


def signing_keys(purpose: str) -> Sequence[SigningKey]:
    """The keys of one purpose: the first signs, all of them verify.

    Args:
        purpose: what is signed. A signature for one purpose is worth nothing for another.
    """
    return _derived(purpose, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=32)
def _derived(purpose: str, secrets: tuple[str, ...]) -> Sequence[SigningKey]:
    return tuple(_key(purpose, secret) for secret in secrets)


def _key(purpose: str, secret: str) -> SigningKey:
    key = salted_hmac(f"accounts.{purpose}", "", secret=secret, algorithm="sha256").digest()
    return SigningKey(sha256(key).hexdigest()[:_KID_LENGTH], key)
