"""How passwords are hashed."""

from functools import partial
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher

from accounts import capacity


class ShopArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane: the OWASP Password Storage Cheat Sheet's choice.

    A login whose hash was made with other parameters is rehashed (Django's `must_update`). Only so
    many run at once: see `accounts.capacity`.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    def encode(self, *args: Any, **kwargs: Any) -> str:
        """A new hash.

        Raises:
            BusyError: too many others are being made.
        """
        return capacity.HASHING.run(partial(super().encode, *args, **kwargs))

    def verify(self, *args: Any, **kwargs: Any) -> bool:
        """Whether a password fits a hash.

        Raises:
            BusyError: too many others are being checked.
        """
        return capacity.HASHING.run(partial(super().verify, *args, **kwargs))
