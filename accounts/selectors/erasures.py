"""Reads of users whose erasure has begun: everybody else sees them no more."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from bson import ObjectId
from django.conf import settings

from accounts.documents import User
from ecommerce.core.mongo import collection, utc_now

BEING_ERASED: Final = {"erasing_at": {"$exists": True}}
PRESENT: Final = {"erasing_at": {"$exists": False}}


def is_being_erased(guard: Mapping[str, Any]) -> bool:
    """Whether the erasure of the user whom `guard` finds was begun and not finished."""
    return collection(User).find_one({**guard, **BEING_ERASED}, {"_id": 1}) is not None


def unfinished_erasures() -> list[ObjectId]:
    """Every user whose erasure was begun so long ago that no request of theirs is under way."""
    before = utc_now() - timedelta(seconds=settings.ERASURE_SWEEP_SECONDS)
    rows = collection(User).find({"erasing_at": {"$lte": before}}, {"_id": 1})
    return [row["_id"] for row in rows]


def being_erased_with(*, username_key: str, email_key: str) -> list[ObjectId]:
    """The users whose erasure was begun and not finished and who still hold one of these names."""
    names = [{"username_key": username_key}, {"email_key": email_key}]
    rows = collection(User).find({"$or": names, **BEING_ERASED}, {"_id": 1})
    return [row["_id"] for row in rows]
