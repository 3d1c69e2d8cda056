"""Reads of sessions."""

from accounts.documents import RefreshFamily
from accounts.principal import Principal
from accounts.selectors import user
from ecommerce.core.mongo import collection, utc_now
from ecommerce.core.pagination import Page, PageRequest, fetch_page

_SHOWN = {
    "address": 1, "user_agent": 1, "used_at": 1, "expires_at": 1, "idle_expires_at": 1,
    "created_at": 1,
}  # fmt: skip


def session_page(request: PageRequest, *, user_id: str, caller: Principal) -> Page:
    """The living sessions of a user the caller may see, newest login first.

    Raises:
        UserNotFoundError: none that the caller may see.
    """
    owner, now = user(user_id, caller=caller), utc_now()
    living = {
        "user_id": owner["_id"],
        "token_version": owner["token_version"],
        "revoked_at": None,
        "expires_at": {"$gt": now},
        "idle_expires_at": {"$gt": now},
    }
    return fetch_page(
        collection(RefreshFamily),
        tiers=[living],
        ordering=(("_id", -1),),
        request=request,
        projection=_SHOWN,
    )
