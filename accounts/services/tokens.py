"""Tokens: a short-lived signed access token, and refresh tokens in families kept in MongoDB.

Each use of a refresh token replaces it in one guarded update, so of two uses of one token only one
wins. The other gets the same successor if it comes at once from the same client (two tabs); else it
is the sign of theft, and ends its whole family.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bson import ObjectId
from django.conf import settings
from pymongo import ReturnDocument

from accounts import access_tokens, refresh_tokens, selectors
from accounts.clients import Client
from accounts.documents import RefreshFamily, UserRow
from accounts.errors import InvalidAccessTokenError, InvalidRefreshTokenError
from accounts.refresh_tokens import RefreshToken
from accounts.services.sessions import end_session, revoke_families
from ecommerce.core.mongo import collection, insert, utc_now

GRACE: Final = timedelta(seconds=10)
"""How long after an exchange the same client may repeat it."""
_UNKNOWN: Final = Client()


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
    def issue(*, user: UserRow, client: Client = _UNKNOWN) -> TokenPair:
        """A new session for a user who has just proven who they are."""
        now, token = utc_now(), refresh_tokens.first_token(ObjectId())
        family = insert(
            RefreshFamily,
            id=token.family_id,
            user_id=user["_id"],
            token_version=user["token_version"],
            current_hash=token.digest,
            address=client.address,
            user_agent=client.user_agent,
            used_at=now,
            created_at=now,
            expires_at=now + settings.REFRESH_TOKEN_LIFETIME,
            idle_expires_at=now + settings.REFRESH_TOKEN_IDLE_LIFETIME,
        )
        return _pair(family, token)

    @staticmethod
    def refresh(*, refresh_token: str, client: Client = _UNKNOWN) -> TokenPair:
        """A new pair for a refresh token; the old one is worth nothing afterwards.

        Raises:
            InvalidRefreshTokenError: unknown, used, expired or revoked, or the user is out.
        """
        token = refresh_tokens.parsed(refresh_token)
        successor = token.successor()
        family = _exchange(token, successor, client)
        if family is None:
            family, successor = _exchanged_already(token, client)
        caller = selectors.principal(
            family["user_id"], token_version=family["token_version"], session_id=family["_id"]
        )
        if caller is None:  # out for good: who tries again with the old token is no thief
            revoke_families(family["user_id"], _id=family["_id"])
            raise InvalidRefreshTokenError
        return _pair(family, successor)

    @staticmethod
    def revoke(*, token: str, client: Client = _UNKNOWN) -> None:
        """End the session of this token, refresh or access; an unknown one is no error (RFC 7009).

        A refresh token that was exchanged since still ends its session: it was its holder's.
        """
        family_id = _family_of(token)
        if family_id is not None:
            end_session(family_id, event="token_revoked", address=client.address)


def _exchange(
    token: RefreshToken, successor: RefreshToken, client: Client
) -> Mapping[str, Any] | None:
    """Replace the token in its family; None if it is not the newest one of a living family."""
    now = utc_now()
    family: Mapping[str, Any] | None = collection(RefreshFamily).find_one_and_update(
        {"_id": token.family_id, "current_hash": token.digest, **_alive(now)},
        {
            "$set": {
                "current_hash": successor.digest,
                "previous_hash": token.digest,
                "address": client.address,
                "user_agent": client.user_agent,
                "used_at": now,
                "idle_expires_at": now + settings.REFRESH_TOKEN_IDLE_LIFETIME,
                "updated_at": now,
            },
            "$inc": {"version": 1},
        },
        return_document=ReturnDocument.AFTER,
    )
    return family


def _exchanged_already(
    token: RefreshToken, client: Client
) -> tuple[Mapping[str, Any], RefreshToken]:
    """The family and the successor once more, for the client that has just got it.

    Raises:
        InvalidRefreshTokenError: it is somebody else or too late; the family has ended.
    """
    now = utc_now()
    family = collection(RefreshFamily).find_one(
        {
            "_id": token.family_id,
            "previous_hash": token.digest,
            "address": client.address,
            "user_agent": client.user_agent,
            "used_at": {"$gt": now - GRACE},
            **_alive(now),
        }
    )
    for successor in token.successors() if family else ():
        if family and successor.digest == family["current_hash"]:
            return family, successor
    # The newest token of all is worth nothing only where the session has expired: that is no reuse.
    used_before = {"$ne": token.digest}
    end_session(
        token.family_id, event="refresh_reuse", address=client.address, current_hash=used_before
    )
    raise InvalidRefreshTokenError


def _alive(now: datetime) -> dict[str, Any]:
    return {
        "revoked_at": None,
        "expires_at": {"$gt": now},
        "idle_expires_at": {"$gt": now},
    }


def _family_of(token: str) -> ObjectId | None:
    try:
        return refresh_tokens.parsed(token).family_id
    except InvalidRefreshTokenError:
        pass
    try:
        return access_tokens.verified(token).session_id
    except InvalidAccessTokenError:
        return None


def _pair(family: Mapping[str, Any], token: RefreshToken) -> TokenPair:
    access = access_tokens.signed(
        user_id=family["user_id"],
        session_id=family["_id"],
        token_version=family["token_version"],
    )
    lifetime = int(settings.ACCESS_TOKEN_LIFETIME.total_seconds())
    return TokenPair(access, lifetime, token.encoded())
