"""API keys: `<prefix>.<secret>`. The prefix finds a key; of the secret only a hash is stored."""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, Final, cast

from bson import ObjectId
from pymongo import ReturnDocument

from accounts.documents import ApiKey, ApiKeyRow, UserRow
from accounts.errors import ApiKeyExpiredError, NotAnAdminError
from accounts.principal import Principal
from accounts.roles import role_of
from accounts.rules import MANAGES_API_KEYS, Scope
from accounts.selectors.api_keys import (
    api_key_to_check,
    is_usable,
    living_api_key,
    usable_api_key,
)
from accounts.services.audit import AuditService
from ecommerce.core.mongo import collection, insert, utc_now

_KEY: Final = re.compile(r"(shop_[0-9a-f]{12})\.([A-Za-z0-9_-]{43})", re.ASCII)
"""`shop_` lets a secret scanner know a key of ours where it should not stand."""
_USE_NOTED_EVERY: Final = timedelta(minutes=1)


class ApiKeyService:
    """Create, rotate, revoke, and check what a machine sends."""

    @staticmethod
    def create(
        *,
        name: str,
        scopes: Sequence[Scope],
        lifetime: timedelta,
        created_by: UserRow | None = None,
    ) -> tuple[ApiKeyRow, str]:
        """A new key, and its text, which nobody can read again.

        Args:
            name: what it is for, for people.
            scopes: what it may do.
            lifetime: how long it is valid.
            created_by: the admin who asks for it, if one is known.

        Raises:
            NotAnAdminError: `created_by` may not manage keys.
        """
        if created_by is not None and not MANAGES_API_KEYS.allows(role_of(created_by), frozenset()):
            raise NotAnAdminError
        prefix, secret = f"shop_{secrets.token_hex(6)}", secrets.token_urlsafe(32)
        actor = created_by["_id"] if created_by else None
        granted = sorted({scope.value for scope in scopes})
        details = {"name": name, "scopes": " ".join(granted)}
        _record("api_key_created", prefix, actor_id=actor, details=details)
        key = insert(
            ApiKey,
            id=ObjectId(),
            name=name,
            prefix=prefix,
            secret_hash=_hash(secret),
            scopes=granted,
            created_by=actor,
            expires_at=utc_now() + lifetime,
        )
        return cast(ApiKeyRow, key), f"{prefix}.{secret}"

    @staticmethod
    def rotate(*, prefix: str) -> tuple[ApiKeyRow, str]:
        """Another secret for the key; the old one is worth nothing from now on.

        Raises:
            ApiKeyNotFoundError: there is no such key, or it is revoked.
            ApiKeyExpiredError: it has expired.
        """
        usable_api_key(prefix)
        _record("api_key_rotated", prefix)
        secret = secrets.token_urlsafe(32)
        valid = {"expires_at": {"$gt": utc_now()}}
        return _change(prefix, {"secret_hash": _hash(secret)}, **valid), f"{prefix}.{secret}"

    @staticmethod
    def revoke(*, prefix: str) -> ApiKeyRow:
        """End the key for good.

        Raises:
            ApiKeyNotFoundError: there is no such key, or it is revoked.
        """
        living_api_key(prefix)
        _record("api_key_revoked", prefix)
        return _change(prefix, {"revoked_at": utc_now()})

    @staticmethod
    def authenticate(*, text: str) -> Principal | None:
        """Who sends this text as a key; None for wrong, revoked and expired alike. One read."""
        parts = _KEY.fullmatch(text)
        key = api_key_to_check(parts[1]) if parts else None
        if parts is None or key is None:
            return None
        right, now = compare_digest(_hash(parts[2]), key["secret_hash"]), utc_now()
        if not right or not is_usable(key, now):
            return None
        _note_use(key, now)
        known = {scope.value for scope in Scope}  # a scope may have been taken out of the product
        scopes = frozenset(Scope(scope) for scope in key["scopes"] if scope in known)
        return Principal(key["_id"], key["name"], None, scopes=scopes)

    @staticmethod
    def forget_person(user_id: ObjectId) -> None:
        """Have no key say that a user who is erased made it; the keys stay. Safe to repeat."""
        collection(ApiKey).update_many({"created_by": user_id}, {"$unset": {"created_by": ""}})


def _note_use(key: ApiKeyRow, now: datetime) -> None:
    """Once a minute, by whichever call comes first. No change of the key, so no new version."""
    before = now - _USE_NOTED_EVERY
    if "last_used_at" in key and key["last_used_at"] > before:
        return
    collection(ApiKey).update_one(
        {
            "_id": key["_id"],
            "$or": [{"last_used_at": {"$exists": False}}, {"last_used_at": {"$lte": before}}],
        },
        {"$set": {"last_used_at": now}},
    )


def _change(prefix: str, values: Mapping[str, Any], **guard: Any) -> ApiKeyRow:
    row = collection(ApiKey).find_one_and_update(
        {"prefix": prefix, "revoked_at": {"$exists": False}, **guard},
        {"$set": {**values, "updated_at": utc_now()}, "$inc": {"version": 1}},
        projection={"secret_hash": 0},
        return_document=ReturnDocument.AFTER,
    )
    if row is None:  # what was looked at before is over by now
        living_api_key(prefix)
        raise ApiKeyExpiredError(prefix)
    return cast(ApiKeyRow, row)


def _record(event: str, prefix: str, **known: Any) -> None:
    AuditService.record(event, target=f"api-keys/{prefix}", **known)


def _hash(secret: str) -> str:
    """256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
