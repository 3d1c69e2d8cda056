"""One line of a cart: setting it and removing it."""

from collections.abc import Mapping
from typing import Any

from carts import selectors
from carts.documents import CartRow
from carts.pricing import PricedCart
from carts.services import checks, updates
from carts.services.access import Access
from carts.services.attempts import changed, priced
from carts.services.checks import Place
from carts.services.items import stored_words
from catalog.selectors import products_in_carts


def set_line(
    *,
    access: Access,
    product_id: str,
    sku: str | None = None,
    quantity: int | None = None,
    note: str | None = None,
    attributes: Mapping[str, str] | None = None,
) -> PricedCart:
    """Set how many of a product the cart holds, and what is said of the line; None leaves it.

    Raises:
        CartNotFoundError: none that the shopper may change.
        LineNotFoundError, AmbiguousItemError: the product is not in it, or in several variants.
        ProductUnavailableError, InsufficientStockError: of the product.
        PreconditionFailedError: the cart has another version.
    """
    values = stored_words(note, attributes)
    if quantity is not None:
        values["quantity"] = quantity
    return changed(access, lambda cart: _set(access, cart, (product_id, sku), values))


def _set(
    access: Access, cart: CartRow, named: tuple[str, str | None], values: Mapping[str, Any]
) -> PricedCart | None:
    line = checks.named_line(cart, *named)
    products = products_in_carts(selectors.product_ids(cart))
    if not values:
        return PricedCart(cart, products)
    if "quantity" in values:
        offer = checks.still_offered(products, line)
        checks.check_quantity(offer, values["quantity"], None)
    change = {f"items.$.{name}": value for name, value in values.items()}
    row = updates.apply(access, cart, {"$set": change}, where={"items.key": line["key"]})
    return priced(row, products)


def remove_line(
    *, access: Access, product_id: str, sku: str | None = None, place: Place = "items"
) -> PricedCart:
    """Take a product out of the cart, or out of what is saved for later.

    Raises:
        CartNotFoundError: none that the shopper may change.
        LineNotFoundError, AmbiguousItemError: the product is not in it, or in several variants.
        PreconditionFailedError: the cart has another version.
    """

    def attempt(cart: CartRow) -> PricedCart | None:
        key = checks.named_line(cart, product_id, sku, place=place)["key"]
        where, change = {f"{place}.key": key}, {"$pull": {place: {"key": key}}}
        row = updates.apply(access, cart, change, where=where)
        return None if row is None else selectors.priced(row)

    return changed(access, attempt)
