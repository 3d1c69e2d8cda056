"""The guarded atomic updates of carts: the filter is what must be true, the update the change."""

from collections.abc import Mapping
from typing import Any, Final, cast

from pymongo import ReturnDocument

from accounts.services import AuditService
from carts import selectors
from carts.documents import CartRow, ShoppingCart
from carts.limits import (
    GUEST_LIFETIME,
    MAX_LINE_QUANTITY,
    MAX_LINES,
    MAX_OPERATIONS,
    USER_LIFETIME,
)
from carts.offers import Offer
from carts.services.access import Access
from carts.services.items import Item, new_line
from ecommerce.core.mongo import collection, utc_now

_FULL: Final = f"items.{MAX_LINES - 1}"


def raise_line(access: Access, cart: CartRow, item: Item, offer: Offer) -> CartRow | None:
    """Raise a line unless that takes it over its limit or over the stock that was just read."""
    room = min(MAX_LINE_QUANTITY, offer.left) - item.quantity
    too_full = {"key": offer.key, "quantity": {"$gt": room}}
    where = {"items.key": offer.key, "$nor": [{"items": {"$elemMatch": too_full}}]}
    said = {f"items.$.{name}": value for name, value in item.words().items()}
    change = {"$inc": {"items.$.quantity": item.quantity}, "$set": said}
    return apply(access, cart, change, where=where)


def start_line(access: Access, cart: CartRow, item: Item, offer: Offer) -> CartRow | None:
    """Start a line unless there is one by now, or the cart is full."""
    where = {"items.key": {"$ne": offer.key}, _FULL: {"$exists": False}}
    return apply(access, cart, {"$push": {"items": new_line(offer, item)}}, where=where)


def rewrite(access: Access, cart: CartRow, **lists: Any) -> CartRow | None:
    """Have the cart hold other lines, if it is still as it was read."""
    return apply(access, cart, {"$set": lists}, where={"version": cart["version"]})


def apply(
    access: Access,
    cart: CartRow,
    change: Mapping[str, Any],
    *,
    where: Mapping[str, Any] | None = None,
) -> CartRow | None:
    """Apply one change, raise the version and move the expiry; the cart afterwards.

    None if the cart is not as it was read: gone, somebody else's by now, at another version, or not
    what `where` asks for; or if this operation is done already.
    """
    record_for_customer(access, cart)
    row = collection(ShoppingCart).find_one_and_update(
        {**guard(access, cart), **(where or {})},
        _with_bookkeeping(access, cart, change),
        return_document=ReturnDocument.AFTER,
    )
    return cast(CartRow | None, row)


def guard(access: Access, cart: CartRow) -> dict[str, Any]:
    """The filter for this cart, still its owner's, at an accepted version, not yet changed so."""
    whose: dict[str, Any] = {name: cart[name] for name in ("user_id", "token_hash") if name in cart}
    where: dict[str, Any] = {"_id": cart["_id"], **whose, "merge": None, **selectors.live()}
    if access.versions is not None:
        where["version"] = {"$in": list(access.versions)}
    if access.operation.keyed:
        where["operations"] = {"$ne": access.operation.id}
    return where


def record_for_customer(access: Access, cart: CartRow) -> None:
    """Have the audit log say that staff changes a cart that is not their own, before they do."""
    principal = access.shopper.principal
    if principal is not None and not access.shopper.owns(cart):
        AuditService.record(
            "cart_changed_for_customer",
            actor_id=principal.id,
            subject_id=cart.get("user_id"),
            target=f"shopping-carts/{cart['_id']}",
            details={"action": access.action},
        )


def expiry(*, of_user: bool) -> dict[str, Any]:
    """When a cart that is written now is gone."""
    now = utc_now()
    return {"updated_at": now, "expires_at": now + (USER_LIFETIME if of_user else GUEST_LIFETIME)}


def _with_bookkeeping(access: Access, cart: CartRow, change: Mapping[str, Any]) -> dict[str, Any]:
    times = expiry(of_user="user_id" in cart)
    whole = {
        **change,
        "$set": {**change.get("$set", {}), **times},
        "$inc": {**change.get("$inc", {}), "version": 1},
    }
    if access.operation.keyed:
        seen = {"$each": [access.operation.id], "$slice": -MAX_OPERATIONS}
        whole["$push"] = {**change.get("$push", {}), "operations": seen}
    return whole
