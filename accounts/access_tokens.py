"""Access tokens: what is in one, and the one place that verifies them.

SimpleJWT signs and checks; ours are the keys that `kid` names and the claims that must be there.
"""

from typing import Any, Final

import jwt
from bson import ObjectId
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from accounts.claims import AccessClaims
from accounts.errors import InvalidAccessTokenError
from accounts.signing import signing_keys
from accounts.verified_tokens import VerifiedTokens
from ecommerce.core.ids import is_id

_PURPOSE: Final = "access-token"
_known: Final = VerifiedTokens()


class _RotatingBackend(TokenBackend):
    """Signs with the newest key and says which; verifies with the key that was said."""

    def get_verifying_key(self, token: Any) -> bytes:
        """The secret that the header's `kid` names.

        Raises:
            InvalidTokenError: no key of ours has this name.
        """
        kid = jwt.get_unverified_header(token).get("kid")
        for key in signing_keys(_PURPOSE):
            if key.kid == kid:
                return key.secret
        raise jwt.InvalidTokenError("The token names no key of ours.")

    def encode(self, payload: dict[str, Any]) -> str:
        """The signed token."""
        key = signing_keys(_PURPOSE)[0]
        claims = {**payload, "aud": self.audience, "iss": self.issuer}
        return jwt.encode(claims, key.secret, algorithm=self.algorithm, headers={"kid": key.kid})


_backend: Final = _RotatingBackend(
    algorithm=settings.SIMPLE_JWT["ALGORITHM"],
    audience=settings.SIMPLE_JWT["AUDIENCE"],
    issuer=settings.SIMPLE_JWT["ISSUER"],
)


class ShopAccessToken(AccessToken):
    """SimpleJWT's access token under our keys."""

    def get_token_backend(self) -> TokenBackend:
        """Ours, not the one that SimpleJWT builds of its settings."""
        return _backend


def signed(*, user_id: ObjectId, session_id: ObjectId, token_version: int) -> str:
    """A new access token, valid for ACCESS_TOKEN_EXPIRE_MINUTES."""
    token = ShopAccessToken()
    token["sub"] = str(user_id)
    token["sid"] = str(session_id)
    token["token_version"] = token_version
    return str(token)


def verified(encoded: bytes | str) -> AccessClaims:
    """The claims of a token that one of our keys signed, for us, and that has not expired.

    Raises:
        InvalidAccessTokenError: anything else, whatever it is.
    """
    token = encoded if isinstance(encoded, bytes) else encoded.encode("utf-8", "replace")
    keys = signing_keys(_PURPOSE)
    claims = _known.claims(token, keys)
    if claims is None:
        claims = _verified_anew(encoded)
        _known.remember(token, keys, claims)
    return claims


def _verified_anew(encoded: bytes | str) -> AccessClaims:
    try:
        payload = ShopAccessToken(encoded).payload  # type: ignore[arg-type]  # text or bytes, as PyJWT
    except (TokenError, OverflowError, TypeError, ValueError):  # an expiry beyond the calendar
        raise InvalidAccessTokenError from None
    return _claims(payload)


def _claims(payload: dict[str, Any]) -> AccessClaims:
    user_id, session_id, jti = (payload.get(name) for name in ("sub", "sid", "jti"))
    version = payload.get("token_version")
    if not (_names_id(user_id) and _names_id(session_id) and isinstance(jti, str)):
        raise InvalidAccessTokenError
    if type(version) is not int:  # True is an int too
        raise InvalidAccessTokenError
    return AccessClaims(ObjectId(user_id), ObjectId(session_id), version, jti, int(payload["exp"]))


def _names_id(claim: Any) -> bool:
    return isinstance(claim, str) and is_id(claim)
