"""What a refresh token looks like: `<family id>.<secret>.<proof>`.

The secret of a successor is an HMAC of its predecessor's, under a key of the server: two uses of
one token come to the same successor by themselves, and nothing that could be stolen is stored to
make that so. Neither the database nor the key alone is enough to come to a token.

The proof is an HMAC over the rest. It tells an old token of ours from a guess: only a real one,
used again, is a sign of theft (RFC 9700 section 4.14). Ids of families are no secret.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bson import ObjectId

from accounts.errors import InvalidRefreshTokenError
from accounts.signing import SigningKey, signing_keys
from ecommerce.core.ids import is_id

_PROOF: Final = "refresh-token-proof"
_SUCCESSOR: Final = "refresh-token-successor"


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One token of a family."""

    family_id: ObjectId
    secret: str = field(repr=False)

    @property
    def digest(self) -> str:
        """What is stored. 256 random bits need no slow hash."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def encoded(self) -> str:
        """As it goes to the client."""
        return f"{self._content}.{_mac(signing_keys(_PROOF)[0], self._content)}"

    def successor(self) -> "RefreshToken":
        """The token that this one is exchanged for."""
        return next(self.successors())

    def successors(self) -> Iterator["RefreshToken"]:
        """The successor under each key, newest first: the exchange may have used an old one."""
        for key in signing_keys(_SUCCESSOR):
            yield RefreshToken(self.family_id, _mac(key, self._content))

    def has_proof(self, proof: str) -> bool:
        """Whether this proof was made by us."""
        return any(
            hmac.compare_digest(_mac(key, self._content).encode(), proof.encode())
            for key in signing_keys(_PROOF)
        )

    @property
    def _content(self) -> str:
        return f"{self.family_id}.{self.secret}"


def first_token(family_id: ObjectId) -> RefreshToken:
    """The token that a new family starts with."""
    return RefreshToken(family_id, secrets.token_urlsafe(32))


def parsed(encoded: str) -> RefreshToken:
    """The token, if it was made by us; whether it is still worth anything is in the family.

    Raises:
        InvalidRefreshTokenError: it was not.
    """
    family_id, _, rest = encoded.partition(".")
    secret, _, proof = rest.partition(".")
    if not is_id(family_id):
        raise InvalidRefreshTokenError
    token = RefreshToken(ObjectId(family_id), secret)
    if not token.has_proof(proof):
        raise InvalidRefreshTokenError
    return token


def _mac(key: SigningKey, content: str) -> str:
    digest = hmac.digest(key.secret, content.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
