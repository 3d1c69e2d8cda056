"""Accounts as they go out in JSON."""

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from accounts.documents import email_is_verified, pending_email
from accounts.roles import Role, role_of
from accounts.services.tokens import TokenPair


def present_user(user: Mapping[str, Any]) -> dict[str, Any]:
    """A user, for themselves and for staff; never the hash."""
    role = role_of(user)
    return {
        "id": str(user["_id"]),
        "username": user["username"],
        "email": user["email"],
        "email_verified": email_is_verified(user),
        "pending_email": pending_email(user),
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


def present_audit_event(row: Mapping[str, Any]) -> dict[str, Any]:
    """An event of the audit log."""
    known = {name: str(row[name]) for name in ("actor_id", "subject_id") if name in row}
    return {
        "id": str(row["_id"]),
        "event": row["event"],
        "actor_id": known.get("actor_id"),
        "subject_id": known.get("subject_id"),
        "target": row.get("target"),
        "address": row.get("address"),
        "request_id": row["request_id"],
        "details": row.get("details", {}),
        "created_at": row["created_at"],
    }


def present_api_key(row: Mapping[str, Any]) -> dict[str, Any]:
    """A key, for operators; never its hash."""
    return {
        "prefix": row["prefix"],
        "name": row["name"],
        "scopes": row["scopes"],
        "created_by": str(row["created_by"]) if "created_by" in row else None,
        "created_at": row["created_at"],
        "expires_at": row["expires_at"],
        "last_used_at": row.get("last_used_at"),
        "revoked_at": row.get("revoked_at"),
    }
