"""Deleting expired carts, where that should not wait for the TTL index."""

from collections.abc import Iterator
from typing import Final

from carts import selectors
from carts.documents import ShoppingCart
from ecommerce.core.mongo import collection, utc_now

_BATCH: Final = 500


def delete_expired() -> Iterator[int]:
    """Delete the carts that have expired by now, batch by batch; how many each batch had.

    A place of such a cart in its user's list is given back when somebody finds the list full.
    """
    now = utc_now()
    while ids := selectors.expired_carts(by=now, limit=_BATCH):
        expired = {"_id": {"$in": ids}, "expires_at": {"$lte": now}}
        yield collection(ShoppingCart).delete_many(expired).deleted_count
        if len(ids) < _BATCH:
            return
