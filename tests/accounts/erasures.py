"""What an erasure leaves, and servers that finish it."""

import time
from collections.abc import Callable

from bson import ObjectId

from accounts.documents import AuditEvent, MailToken, RefreshFamily, User
from accounts.services import erasures
from carts.documents import ShoppingCart
from ecommerce.core.mongo import collection
from ecommerce.core.periodic import Periodic


def traces(user_id: ObjectId) -> list[str]:
    """Where the store still knows the person."""
    places = {
        "users": (User, {"_id": user_id}),
        "carts": (ShoppingCart, {"user_id": user_id}),
        "sessions": (RefreshFamily, {"user_id": user_id}),
        "mails": (MailToken, {"user_id": user_id}),
        "audit": (AuditEvent, {"$or": [{"subject_id": user_id}, {"actor_id": user_id}]}),
        "addresses": (AuditEvent, {"address": {"$exists": True}}),
    }
    return [
        name for name, (document, where) in places.items() if collection(document).find_one(where)
    ]


def erased() -> int:
    return collection(AuditEvent).count_documents({"event": "user_erased"})


def until(told: Callable[[], bool]) -> None:
    """What a server does in its thread is done within some looks of it."""
    end = time.monotonic() + 10
    while not told():
        assert time.monotonic() < end
        time.sleep(0.02)


def await_sweep() -> None:
    """Servers there are, and one of them comes to the tombstones that are due."""
    thread = Periodic("erasures", erasures.take_up, seconds=0.02)
    thread.start()
    until(lambda: collection(User).find_one({"erasing_at": {"$exists": True}}) is None)
    thread.stop()
