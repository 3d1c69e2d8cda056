"""Accounts as they go out in JSON."""

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from accounts.roles import Role, role_of
from accounts.services.tokens import TokenPair


def present_user(user: Mapping[str, Any]) -> dict[str, Any]:
    """A user, for themselves and for staff; never the hash."""
    role = role_of(user)
    return {
        "id": str(user["_id"]),
        "username": user["username"],
        "email": user["email"],
        "is_active": user["is_active"],
        "role": role.value,
        "is_staff": role is not Role.CUSTOMER,
        "version": user["version"],
        "created_at": user["created_at"],
        "updated_at": user["updated_at"],
    }


def present_session(family: Mapping[str, Any], current: ObjectId | None) -> dict[str, Any]:
    """A session; `current` is the one that the caller's own token belongs to."""
    return {
        "id": str(family["_id"]),
        "device": family["user_agent"],
        "address": family["address"],
        "created_at": family["created_at"],
        "last_used_at": family["used_at"],
        "expires_at": min(family["expires_at"], family["idle_expires_at"]),
        "current": family["_id"] == current,
    }


def present_token(pair: TokenPair) -> dict[str, Any]:
    """The answer of the token endpoint (RFC 6749 section 5.1)."""
    return {
        "access_token": pair.access_token,
        "token_type": "bearer",
        "expires_in": pair.expires_in,
        "refresh_token": pair.refresh_token,
    }
