"""Merging a guest's cart into one of the user who has signed in.

Three guarded updates over two documents, without a transaction. The first records the intent in the
source and freezes it; the second writes the lines into the target, and the source's id with them;
the third marks the source merged. Whoever asks for the same again, or for another merge of the same
cart, finds how far it came and does the rest: in the end it is done once, however often it was
tried and wherever a try ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from bson import ObjectId
from pymongo import ReturnDocument

from carts import selectors
from carts.documents import AdjustmentRow, CartRow, MergedSourceRow, MergeRow, ShoppingCart
from carts.errors import (
    CartBusyError,
    CartMergedError,
    CartNotFoundError,
    MergeTargetNotFoundError,
    NotAGuestCartError,
    TooManyCartsError,
)
from carts.limits import MAX_OPEN_CARTS
from carts.pricing import PricedCart
from carts.services import open_carts
from carts.services.access import Access
from carts.services.attempts import pauses
from carts.services.merge_plan import MergeMode, MergePlan, plan
from carts.services.updates import expiry
from catalog.selectors import products_in_carts
from ecommerce.core.checkpoints import checkpoint
from ecommerce.core.errors import PreconditionFailedError
from ecommerce.core.ids import parse_id
from ecommerce.core.mongo import collection, utc_now

_REMEMBERED: Final = 20
"""Sources that a target remembers, the newest ones. Each is needed only until it is marked."""

_NO_ROOM: Final = (
    f"A user has at most {MAX_OPEN_CARTS} carts: name one of yours as `into`, or delete one."
)


@dataclass(frozen=True, slots=True)
class Merged:
    """The target after a merge."""

    cart: PricedCart
    adjustments: list[AdjustmentRow]


def merge(
    *, access: Access, user_id: ObjectId, into: str | None, mode: MergeMode, dry_run: bool = False
) -> Merged:
    """Merge a guest's cart into a cart of the user, or make it theirs; a dry run only says how.

    Args:
        access: the way to the guest's cart, with its secret.
        user_id: the user who has signed in.
        into: a cart of theirs; None: the guest's cart itself becomes theirs.

    Raises:
        CartNotFoundError: no guest's cart of this id and secret.
        MergeTargetNotFoundError: `into` is no cart of the user; the guest's cart stays as it is.
        CartMergedError: the guest's cart was merged otherwise, or is about to be; or it was merged
            so, into a cart that is gone.
        NotAGuestCartError: it is the user's already.
        TooManyCartsError: the user has room for no further cart.
        PreconditionFailedError: it has another version.
    """
    if into is None:
        adopted = _adopted(access, user_id, dry_run=dry_run)
        checkpoint("carts.merge_adopted")
        return Merged(adopted, [])
    target = parse_id(into, MergeTargetNotFoundError)
    if dry_run:
        return _tried(access, user_id, target, mode)
    source = _claimed(access, user_id, target, mode)
    checkpoint("carts.merge_claimed")
    return _completed(source)


# --- the guest's cart becomes the user's --------------------------------------------------------


def _adopted(access: Access, user_id: ObjectId, *, dry_run: bool) -> PricedCart:
    where = _guests(access)
    row = _to_be_handed_over(where, user_id) if dry_run else _handed_over(where, user_id)
    if row is not None:
        return selectors.priced(row)
    present = _present(access)
    if present.get("user_id") == user_id:
        return selectors.priced(present)  # an earlier try did it
    if not dry_run and _opened_again(present):
        return _adopted(access, user_id, dry_run=dry_run)
    raise _why_not(access, present)


def _to_be_handed_over(where: dict[str, Any], user_id: ObjectId) -> CartRow | None:
    """The cart as it is, if the user could have it; nothing is written."""
    row = selectors.cart_found_by(where)
    if row is not None and not open_carts.has_room(user_id, row["_id"]):
        raise TooManyCartsError(_NO_ROOM)
    return row


def _handed_over(where: dict[str, Any], user_id: ObjectId) -> CartRow | None:
    """The cart as the user's, who needs a place for it first; None if it is not to be had."""
    cart_id = where["_id"]
    if selectors.cart_found_by(where, {"_id": 1}) is None:
        return None  # whoever may not have it takes no place either
    if not open_carts.take_place(user_id, cart_id):
        raise TooManyCartsError(_NO_ROOM)
    checkpoint("carts.merge_placed")
    row = _given(where, user_id)
    if row is None and not selectors.is_of(user_id, cart_id):
        open_carts.give_back(user_id, cart_id)
    return row


def _given(where: dict[str, Any], user_id: ObjectId) -> CartRow | None:
    change = {
        "$set": {"user_id": user_id, **expiry(of_user=True)},
        "$unset": {"token_hash": ""},
        "$inc": {"version": 1},
    }
    row = collection(ShoppingCart).find_one_and_update(
        where, change, return_document=ReturnDocument.AFTER
    )
    return cast(CartRow | None, row)


# --- the intent -------------------------------------------------------------------------------


def _guests(access: Access) -> dict[str, Any]:
    """The filter for an open guest's cart of this id and secret, at an accepted version."""
    where: dict[str, Any] = {
        "_id": parse_id(access.cart_id, CartNotFoundError),
        "token_hash": access.shopper.token_hash or "",
        "merge": None,
        **selectors.live(),
    }
    if access.versions is not None:
        where["version"] = {"$in": list(access.versions)}
    return where


def _claimed(access: Access, user_id: ObjectId, into: ObjectId, mode: MergeMode) -> CartRow:
    """The source with the intent recorded, by this try or by an earlier one of the same."""
    intent: MergeRow = {
        "operation": access.operation.id,
        "into": into,
        "mode": mode.value,
        "by": user_id,
        "at": utc_now(),
    }
    row = collection(ShoppingCart).find_one_and_update(
        _guests(access),
        {"$set": {"merge": intent, **expiry(of_user=False)}, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )
    if row is not None:
        return cast(CartRow, row)
    present = _present(access)
    if _is_same(present.get("merge"), intent):
        return present
    if _opened_again(present):
        return _claimed(access, user_id, into, mode)
    raise _why_not(access, present)


def _is_same(recorded: MergeRow | None, intent: MergeRow) -> bool:
    """Whether an earlier try of the same has recorded its intent."""
    return recorded is not None and all(
        recorded[name] == intent[name] for name in ("into", "mode", "by")
    )


def _opened_again(source: CartRow) -> bool:
    """Do what is left of another intent, so that a refusal which says where the cart went is true.

    Returns:
        Whether it can be merged after all: the target of that intent is gone.
    """
    if "merge" not in source or "merged_into" in source:
        return False
    try:
        _completed(source)
    except MergeTargetNotFoundError:
        return True
    except CartMergedError:  # somebody was faster; where to is not for everybody who asks
        pass
    return False


def _present(access: Access) -> CartRow:
    """The cart as it is now: the guest's by its secret, or the user's by now."""
    rights = access.shopper.rights()
    cart_id = parse_id(access.cart_id, CartNotFoundError)
    return selectors.cart_row({"_id": cart_id, **selectors.live(), "$or": rights})


def _why_not(access: Access, present: CartRow) -> Exception:
    if "merge" in present:
        return CartMergedError(selectors.merged_into(present, shopper=access.shopper))
    if "user_id" in present:
        return NotAGuestCartError()
    return PreconditionFailedError() if not access.accepts(present) else CartBusyError()


def _undone(source: CartRow) -> bool:
    """Open the source again, unless somebody has completed the same intent, or has done so."""
    undone = collection(ShoppingCart).update_one(
        {
            "_id": source["_id"],
            "merge.operation": source["merge"]["operation"],
            "merged_into": None,
        },
        {"$unset": {"merge": ""}, "$set": {"updated_at": utc_now()}, "$inc": {"version": 1}},
    )
    return undone.modified_count == 1


# --- the lines --------------------------------------------------------------------------------


def _completed(source: CartRow) -> Merged:
    """Do what is left of a recorded intent."""
    merged = _written(source)
    checkpoint("carts.merge_written")
    if "merged_into" not in source:
        _mark(source, merged.adjustments)
        checkpoint("carts.merge_marked")
    return merged


def _written(source: CartRow) -> Merged:
    """The target with the source's lines, written by this try or by an earlier one."""
    for target in _targets(source):
        taken = _taken(source, target)
        if taken is not None:
            return Merged(selectors.priced(target), taken)
        products = products_in_carts(selectors.product_ids(target) | selectors.product_ids(source))
        planned = plan(
            source=source, target=target, mode=MergeMode(source["merge"]["mode"]), products=products
        )
        row = _rewritten(source, target, planned)
        if row is not None:
            return Merged(PricedCart(row, products), planned.adjustments)
    raise CartBusyError


def _targets(source: CartRow) -> Iterator[CartRow]:
    """The target, read anew for each try.

    Raises:
        MergeTargetNotFoundError: it is gone, and the source is open again.
        CartMergedError: it is gone, and the source with it: it had been merged before.
    """
    intent = source["merge"]
    for _ in pauses():
        row = selectors.cart_found_by(_target(intent["into"], intent["by"]))
        if row is None:
            raise _without_target(source)
        yield row


def _without_target(source: CartRow) -> Exception:
    into = source["merge"]["into"]
    merged = {"_id": source["_id"], "merged_into": into}
    if _undone(source) or selectors.cart_found_by(merged, {"_id": 1}) is None:
        return MergeTargetNotFoundError()
    return CartMergedError(str(into))  # an intent is carried out again by who had it


def _target(into: ObjectId, user_id: ObjectId) -> dict[str, Any]:
    return {"_id": into, "user_id": user_id, **selectors.live()}


def _taken(source: CartRow, target: CartRow) -> list[AdjustmentRow] | None:
    """What an earlier try adjusted, if it has written the lines."""
    if "merged_into" in source:
        return source["merge"].get("adjustments", [])
    noted = (one for one in target.get("merged_sources", ()) if one["source"] == source["_id"])
    return next((one["adjustments"] for one in noted), None)


def _rewritten(source: CartRow, target: CartRow, planned: MergePlan) -> CartRow | None:
    """Write lines and note in one update, if the target is still as it was read."""
    note: MergedSourceRow = {"source": source["_id"], "adjustments": planned.adjustments}
    where = {
        **_target(target["_id"], source["merge"]["by"]),
        "version": target["version"],
        "merged_sources.source": {"$ne": source["_id"]},
    }
    lines = {
        "items": list(planned.items.values()),
        "saved_items": list(planned.saved.values()),
        "merged_sources": [*target.get("merged_sources", ()), note][-_REMEMBERED:],
    }
    row = collection(ShoppingCart).find_one_and_update(
        where,
        {"$set": {**lines, **expiry(of_user=True)}, "$inc": {"version": 1}},
        return_document=ReturnDocument.AFTER,
    )
    return cast(CartRow | None, row)


def _mark(source: CartRow, adjustments: list[AdjustmentRow]) -> None:
    """Have the source say where it went; done by an earlier try, nothing is changed."""
    intent = source["merge"]
    collection(ShoppingCart).update_one(
        {"_id": source["_id"], "merge.operation": intent["operation"], "merged_into": None},
        {
            "$set": {
                "merged_into": intent["into"],
                "merge.adjustments": adjustments,
                **expiry(of_user=False),
            },
            "$inc": {"version": 1},
        },
    )


# --- a dry run ----------------------------------------------------------------------------------


def _tried(access: Access, user_id: ObjectId, into: ObjectId, mode: MergeMode) -> Merged:
    """What a merge would give now; nothing is written."""
    source = selectors.cart_found_by(_guests(access))
    if source is None:
        raise _why_not(access, _present(access))
    target = selectors.cart_found_by(_target(into, user_id))
    if target is None:
        raise MergeTargetNotFoundError
    products = products_in_carts(selectors.product_ids(target) | selectors.product_ids(source))
    planned = plan(source=source, target=target, mode=mode, products=products)
    lines: Any = {"items": [*planned.items.values()], "saved_items": [*planned.saved.values()]}
    return Merged(PricedCart({**target, **lines}, products), planned.adjustments)
