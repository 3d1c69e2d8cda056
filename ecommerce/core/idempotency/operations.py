"""What a service is told about the POST that it works for."""

import base64
import hashlib
from dataclasses import dataclass, replace
from typing import Self

from bson import ObjectId
from django.utils.crypto import salted_hmac

from ecommerce.core.ids import new_id


@dataclass(frozen=True, slots=True)
class Operation:
    """One POST. Its id is chosen before the work and written in the same update as its effect."""

    id: ObjectId
    keyed: bool
    """The client sent an `Idempotency-Key`, so a retry may come."""
    retried: bool = False
    """An earlier try may have had its effect already, or may still be at work."""
    answered: bool = False
    """An earlier try was answered: it has had its effect, and what it made may be gone since."""

    @classmethod
    def unkeyed(cls) -> Self:
        """An operation that nobody can repeat."""
        return cls(new_id(), keyed=False)

    def part(self, number: int) -> Self:
        """The operation of one of several effects; a retry numbers them alike.

        Ids of parts sort by their numbers, and beside the others of their second.

        Args:
            number: 0 to 65535.
        """
        place = number.to_bytes(2, "big")
        digest = hashlib.sha256(self.id.binary + place).digest()
        return replace(self, id=ObjectId(self.id.binary[:4] + place + digest[:6]))

    def secret(self, purpose: str) -> str:
        """256 bits as text that a retry makes again, so that they are stored nowhere.

        Args:
            purpose: what it is for; another purpose gives another secret.
        """
        digest = salted_hmac(f"operation.{purpose}", self.id.binary, algorithm="sha256").digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
