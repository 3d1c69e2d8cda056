"""At most so many open carts a user, under any race.

Carts are sharded, so no index over them can count. A small document of the user lists their carts:
a cart is made only after its id got a place in the list, in one guarded update. Places of carts
that are gone are given back by whoever finds the list full.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from carts import selectors
from carts.documents import OpenCartRow, OpenCarts
from carts.limits import MAX_OPEN_CARTS
from ecommerce.core.mongo import collection, utc_now

_ATTEMPTS: Final = 10
_ON_ITS_WAY: Final = timedelta(minutes=1)
"""A cart that has a place is there after this long, or never."""


def take_place(user_id: ObjectId, cart_id: ObjectId) -> bool:
    """Give the cart a place in the user's list, once; False if there is none left."""
    for _ in range(_ATTEMPTS):
        if _pushed(user_id, cart_id):
            return True
        listed = selectors.open_carts(user_id)
        if _has_place(listed, cart_id):
            if _renewed(user_id, cart_id):
                return True
        elif len(listed) >= MAX_OPEN_CARTS and not _forget_gone(user_id, listed):
            return False
    return False


def has_room(user_id: ObjectId, cart_id: ObjectId) -> bool:
    """Whether the cart has a place or would get one now; nothing is written."""
    listed = selectors.open_carts(user_id)
    there_is = len(listed) < MAX_OPEN_CARTS or _has_place(listed, cart_id)
    return there_is or bool(_gone(user_id, listed))


def give_back(user_id: ObjectId, cart_id: ObjectId) -> None:
    """Take a cart that is gone off the list; not there, nothing is changed."""
    _change({"_id": user_id, "carts.cart_id": cart_id}, {"$pull": {"carts": {"cart_id": cart_id}}})


def forget_user(user_id: ObjectId) -> None:
    """Delete the list of a user who is gone."""
    collection(OpenCarts).delete_one({"_id": user_id})


def _pushed(user_id: ObjectId, cart_id: ObjectId) -> bool:
    where = {
        "_id": user_id,
        f"carts.{MAX_OPEN_CARTS - 1}": {"$exists": False},
        "carts.cart_id": {"$ne": cart_id},
    }
    change = {
        "$push": {"carts": {"cart_id": cart_id, "at": utc_now()}},
        "$setOnInsert": {"created_at": utc_now()},
    }
    try:
        _change(where, change, upsert=True)
    except DuplicateKeyError:  # there is a list, and it is full or has the cart
        return False
    return True


def _has_place(listed: list[OpenCartRow], cart_id: ObjectId) -> bool:
    return any(place["cart_id"] == cart_id for place in listed)


def _renewed(user_id: ObjectId, cart_id: ObjectId) -> bool:
    """Have the place be as good as new, if nobody has taken it meanwhile.

    An earlier try of the same creation may have got it a minute ago and died: to others it would
    look like that of a cart that is gone.
    """
    where = {"_id": user_id, "carts.cart_id": cart_id}
    return _change(where, {"$set": {"carts.$.at": utc_now()}})


def _forget_gone(user_id: ObjectId, listed: list[OpenCartRow]) -> bool:
    """Take carts that are gone off the list; whether there were any."""
    gone = _gone(user_id, listed)
    if gone:
        pulled = {"cart_id": {"$in": gone}, "at": {"$lt": _long_enough_ago()}}
        _change({"_id": user_id}, {"$pull": {"carts": pulled}})
    return bool(gone)


def _gone(user_id: ObjectId, listed: list[OpenCartRow]) -> list[ObjectId]:
    """The carts of the list that are not there, and not on their way."""
    alive = selectors.living(user_id, [place["cart_id"] for place in listed])
    before = _long_enough_ago()
    return [p["cart_id"] for p in listed if p["cart_id"] not in alive and p["at"] < before]


def _long_enough_ago() -> datetime:
    return utc_now() - _ON_ITS_WAY


def _change(where: dict[str, Any], change: dict[str, Any], *, upsert: bool = False) -> bool:
    """One update of a list, and of its bookkeeping; whether there was one to change."""
    times = {**change.get("$set", {}), "updated_at": utc_now()}
    whole = {**change, "$set": times, "$inc": {"version": 1}}
    return collection(OpenCarts).update_one(where, whole, upsert=upsert).matched_count == 1
