"""Reads of API keys; none but the one that checks it gives the hash."""

from collections.abc import Iterator
from datetime import datetime
from typing import cast

from accounts.documents import ApiKey, ApiKeyRow
from accounts.errors import ApiKeyExpiredError, ApiKeyNotFoundError
from ecommerce.core.mongo import collection, utc_now

_WITHOUT_HASH = {"secret_hash": 0}


def api_key_to_check(prefix: str) -> ApiKeyRow | None:
    """The key with this prefix, hash included."""
    return cast(ApiKeyRow | None, collection(ApiKey).find_one({"prefix": prefix}))


def api_key(prefix: str) -> ApiKeyRow:
    """The key with this prefix.

    Raises:
        ApiKeyNotFoundError: none has it.
    """
    row = collection(ApiKey).find_one({"prefix": prefix}, _WITHOUT_HASH)
    if row is None:
        raise ApiKeyNotFoundError(prefix)
    return cast(ApiKeyRow, row)


def living_api_key(prefix: str) -> ApiKeyRow:
    """The key with this prefix, expired or not.

    Raises:
        ApiKeyNotFoundError: there is no such key, or it is revoked.
    """
    row = api_key(prefix)
    if row.get("revoked_at") is not None:
        raise ApiKeyNotFoundError(prefix)
    return row


def usable_api_key(prefix: str) -> ApiKeyRow:
    """The key with this prefix, which lets a machine in.

    Raises:
        ApiKeyNotFoundError: there is no such key, or it is revoked.
        ApiKeyExpiredError: it has expired.
    """
    row = living_api_key(prefix)
    if not is_usable(row, utc_now()):
        raise ApiKeyExpiredError(prefix)
    return row


def every_api_key() -> Iterator[ApiKeyRow]:
    """All keys, newest first, streamed. For operators."""
    rows = collection(ApiKey).find({}, _WITHOUT_HASH).sort([("_id", -1)])
    return (cast(ApiKeyRow, row) for row in rows)


def is_usable(key: ApiKeyRow, now: datetime) -> bool:
    """Whether the key is neither revoked nor expired."""
    return key.get("revoked_at") is None and key["expires_at"] > now
