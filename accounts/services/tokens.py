"""Tokens: a short-lived signed access token, and refresh tokens in families kept in MongoDB.

A refresh token is `<family id>.<secret>`. Each use replaces the secret in one guarded update, so of
two uses of one token only one wins; a token that was already replaced revokes its whole family
(RFC 9700 section 4.14: the sign of theft).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId
from django.conf import settings
from rest_framework_simplejwt.tokens import AccessToken

from accounts import selectors
from accounts.documents import RefreshFamily, UserRow
from accounts.errors import InvalidRefreshTokenError
from ecommerce.core.ids import is_id
from ecommerce.core.mongo import collection, insert, utc_now


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client gets for signing in or renewing."""

    access_token: str
    expires_in: int
    """Seconds."""
    refresh_token: str


class TokenService:
    """Issues, renews and revokes."""

    @staticmethod
    def issue(*, user: UserRow) -> TokenPair:
        """A new session for a user who has just proven who they are."""
        now, secret = utc_now(), _new_secret()
        family = RefreshFamily(
            id=ObjectId(),
            user_id=user["_id"],
            token_version=user["token_version"],
            current_hash=_hash(secret),
            expires_at=now + settings.REFRESH_TOKEN_LIFETIME,
            idle_expires_at=now + settings.REFRESH_TOKEN_IDLE_LIFETIME,
        )
        insert(family)
        return _pair(family.id, secret, user["_id"], user["token_version"])

    @staticmethod
    def refresh(*, refresh_token: str) -> TokenPair:
        """A new pair for an unused refresh token; the old one is worth nothing afterwards.

        Raises:
            InvalidRefreshTokenError: unknown, used, expired or revoked, or the user is out.
        """
        family_id, secret = _parse(refresh_token)
        now, successor = utc_now(), _new_secret()
        family = collection(RefreshFamily).find_one_and_update(
            {"_id": family_id, "current_hash": _hash(secret), **_alive(now)},
            {
                "$set": {
                    "current_hash": _hash(successor),
                    "idle_expires_at": now + settings.REFRESH_TOKEN_IDLE_LIFETIME,
                    "updated_at": now,
                },
                "$inc": {"version": 1},
            },
        )
        if family is None:
            _revoke(family_id)  # a token that was used before, or a guess: the family ends
            raise InvalidRefreshTokenError
        if selectors.principal(str(family["user_id"]), family["token_version"]) is None:
            raise InvalidRefreshTokenError
        return _pair(family_id, successor, family["user_id"], family["token_version"])

    @staticmethod
    def revoke(*, refresh_token: str) -> None:
        """End the session of this token; an unknown token is no error (RFC 7009 section 2.2)."""
        try:
            family_id, secret = _parse(refresh_token)
        except InvalidRefreshTokenError:
            return
        _revoke(family_id, current_hash=_hash(secret))


def _alive(now: datetime) -> dict[str, Any]:
    return {
        "revoked_at": None,
        "expires_at": {"$gt": now},
        "idle_expires_at": {"$gt": now},
    }


def _revoke(family_id: ObjectId, **guard: str) -> None:
    collection(RefreshFamily).update_one(
        {"_id": family_id, "revoked_at": None, **guard},
        {"$set": {"revoked_at": utc_now(), "updated_at": utc_now()}, "$inc": {"version": 1}},
    )


def _pair(family_id: ObjectId, secret: str, user_id: ObjectId, token_version: int) -> TokenPair:
    access = AccessToken()
    access["sub"] = str(user_id)
    access["token_version"] = token_version
    lifetime = int(settings.ACCESS_TOKEN_LIFETIME.total_seconds())
    return TokenPair(str(access), lifetime, f"{family_id}.{secret}")


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _hash(secret: str) -> str:
    """256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _parse(refresh_token: str) -> tuple[ObjectId, str]:
    family, _, secret = refresh_token.partition(".")
    if not is_id(family) or not secret:
        raise InvalidRefreshTokenError
    return ObjectId(family), secret
