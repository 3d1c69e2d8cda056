"""Starting carts: a user's, and a guest's with its secret."""

from collections.abc import Sequence
from typing import Any, cast

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from accounts.rules import MANAGES_ALL_CARTS
from accounts.selectors import user as user_visible_to
from accounts.services import AuditService
from carts import selectors
from carts.documents import CartRow, LineRow, ShoppingCart
from carts.errors import CartBusyError, ForeignUserError, TooManyCartsError
from carts.pricing import PricedCart
from carts.services import checks, open_carts, updates
from carts.services.access import Access
from carts.services.attempts import pauses
from carts.services.checks import Products
from carts.services.items import Item, merged, new_line
from carts.services.updates import expiry
from carts.shopper import Shopper
from carts.tokens import hash_of
from ecommerce.core.idempotency import Operation
from ecommerce.core.mongo import insert


def create(
    *,
    shopper: Shopper,
    operation: Operation,
    items: Sequence[Item] = (),
    user_id: str | None = None,
) -> tuple[PricedCart, str | None]:
    """A new cart for the caller, or for `user_id` where the caller is staff; and a guest's secret.

    The cart has the operation's id: made twice, it is there once, and a retry gets it as it is.
    Whoever has as many carts as a user may gets their oldest empty one instead.

    Raises:
        CartNotFoundError: an earlier try made it, and it is gone or another's by now.
        ForeignUserError: a customer or a guest named somebody else.
        UserNotFoundError: staff named nobody.
        ProductNotFoundError, ProductUnavailableError, UnknownVariantError,
        InsufficientStockError, LineLimitError: of an item.
        TooManyCartsError: there is room for none, and none is empty.
        CartBusyError: each that was empty was filled by others.
    """
    owner, items = _owner(shopper, user_id), merged(items)
    token = None if owner else operation.secret("cart-token")
    whose = {"user_id": owner} if owner else {"token_hash": hash_of(token or "")}
    done = selectors.made_by(operation, whose=whose) if operation.retried else None
    if done is not None:
        return selectors.priced(done), token
    offers, products = checks.offers_for(items, held=0)
    lines = [new_line(offer, item) for offer, item in zip(offers, items, strict=True)]
    if owner is not None:
        kept = _in_a_cart_that_is_there(shopper, owner, operation, lines)
        if kept is not None:
            return PricedCart(kept, products), None
    _record(shopper, owner, operation)
    return _inserted(whose, operation, lines, products), token


def _owner(shopper: Shopper, user_id: str | None) -> ObjectId | None:
    if user_id is None or user_id == str(shopper.user_id):
        return shopper.user_id
    if shopper.principal is None or not shopper.may(MANAGES_ALL_CARTS):
        raise ForeignUserError
    return user_visible_to(user_id, caller=shopper.principal)["_id"]


def _in_a_cart_that_is_there(
    shopper: Shopper, owner: ObjectId, operation: Operation, lines: list[LineRow]
) -> CartRow | None:
    """The cart to use where no new one may be made; None: one may, and has its place."""
    if open_carts.take_place(owner, operation.id):
        return None
    for _ in pauses():
        empty = selectors.empty_cart(owner)
        if empty is None:
            raise TooManyCartsError
        access = Access(str(empty["_id"]), shopper, operation, action="create")
        done = access.is_done_in(empty)  # by another try, for a cart without items
        row = empty if done else updates.rewrite(access, empty, items=lines)
        if row is not None:
            return row
    raise CartBusyError


def _record(shopper: Shopper, owner: ObjectId | None, operation: Operation) -> None:
    if owner != shopper.user_id:
        AuditService.record(
            "cart_changed_for_customer",
            actor_id=shopper.user_id,
            subject_id=owner,
            target=f"shopping-carts/{operation.id}",
            details={"action": "create"},
        )


def _inserted(
    whose: dict[str, Any], operation: Operation, lines: list[Any], products: Products
) -> PricedCart:
    times = expiry(of_user="user_id" in whose)
    new = {"id": operation.id, "items": lines, "created_at": times["updated_at"], **times, **whose}
    try:
        return PricedCart(cast(CartRow, insert(ShoppingCart, **new)), products)
    except DuplicateKeyError:  # another try of this operation was faster
        found = {"_id": operation.id, **whose, **selectors.live()}
        return selectors.priced(selectors.cart_row(found))
