"""A cart as a whole: replacing and clearing its lines, accepting new prices, deleting it."""

from collections.abc import Sequence

from bson import ObjectId

from carts import selectors
from carts.documents import CartRow, LineRow, ShoppingCart
from carts.errors import ForeignUserError
from carts.offers import offer_of
from carts.pricing import PricedCart
from carts.services import checks, open_carts, updates
from carts.services.access import Access
from carts.services.attempts import attempts, changed
from carts.services.checks import Products
from carts.services.items import Item, merged, new_line, with_quantity
from catalog.selectors import products_in_carts
from ecommerce.core.mongo import collection


def clear(*, access: Access) -> PricedCart:
    """Take everything out of the cart; what is saved for later stays.

    Raises:
        CartNotFoundError: none that the shopper may change.
        PreconditionFailedError: the cart has another version.
    """

    def attempt(cart: CartRow) -> PricedCart | None:
        row = updates.apply(access, cart, {"$set": {"items": []}})
        return None if row is None else selectors.priced(row)

    return changed(access, attempt)


def replace(
    *, access: Access, items: Sequence[Item] | None, user_id: str | None = None
) -> PricedCart:
    """Have the cart hold these items and nothing else; with None its lines stay.

    A line that stays keeps the price that the shopper saw, and what is not said anew of it.

    Raises:
        CartNotFoundError: none that the shopper may change.
        ForeignUserError: a cart does not change its owner.
        ProductNotFoundError, ProductUnavailableError, UnknownVariantError,
        InsufficientStockError, LineLimitError: of an item.
        PreconditionFailedError: the cart has another version.
        CartBusyError: it moved under every try.
    """

    def attempt(cart: CartRow) -> PricedCart | None:
        if user_id is not None and user_id != str(cart.get("user_id")):
            raise ForeignUserError("A cart does not change its owner: leave `user_id` out.")
        if items is None:
            return selectors.priced(cart)
        return _replaced(access, cart, merged(items))

    return changed(access, attempt)


def _replaced(access: Access, cart: CartRow, items: Sequence[Item]) -> PricedCart | None:
    offers, products = checks.offers_for(items, held=None, beside=cart["saved_items"])
    held = {line["key"]: line for line in cart["items"]}
    lines = [
        with_quantity(held[offer.key], item, item.quantity)
        if offer.key in held
        else new_line(offer, item)
        for offer, item in zip(offers, items, strict=True)
    ]
    row = updates.rewrite(access, cart, items=lines)
    return row and PricedCart(row, products)


def refresh_prices(*, access: Access) -> PricedCart:
    """Accept what the catalog asks now: no line says any more that its price has changed.

    Raises:
        CartNotFoundError: none that the shopper may change.
        PreconditionFailedError: the cart has another version.
    """

    def attempt(cart: CartRow) -> PricedCart | None:
        products = products_in_carts(selectors.product_ids(cart))
        items = [_refreshed(line, products) for line in cart["items"]]
        saved = [_refreshed(line, products) for line in cart["saved_items"]]
        if (items, saved) == (cart["items"], cart["saved_items"]):
            return PricedCart(cart, products)
        row = updates.rewrite(access, cart, items=items, saved_items=saved)
        return row and PricedCart(row, products)

    return changed(access, attempt)


def _refreshed(line: LineRow, products: Products) -> LineRow:
    offer = offer_of(products.get(line["product_id"]), line.get("sku"))
    if offer is None:
        return line
    return {**line, "name_at_add": offer.name, "price_at_add_minor": offer.price}


def delete(*, access: Access) -> None:
    """Delete a cart.

    Raises:
        CartNotFoundError: none that the shopper may change.
        PreconditionFailedError: the cart has another version.
    """
    for cart in attempts(access):
        updates.record_for_customer(access, cart)
        if collection(ShoppingCart).delete_one(updates.guard(access, cart)).deleted_count:
            if "user_id" in cart:
                open_carts.give_back(cart["user_id"], cart["_id"])
            return


def delete_all_of(user_id: ObjectId) -> None:
    """Delete every cart of a user who is gone; safe to repeat."""
    collection(ShoppingCart).delete_many({"user_id": user_id})
    open_carts.forget_user(user_id)
