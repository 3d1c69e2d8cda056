"""Adding to a cart: one item commutes with everything, several are one rewrite of the lines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bson import ObjectId

from carts import selectors
from carts.documents import CartRow, LineRow
from carts.errors import CartFullError
from carts.limits import MAX_LINES
from carts.offers import Offer
from carts.pricing import PricedCart
from carts.services import checks, updates
from carts.services.access import Access
from carts.services.attempts import attempts, priced
from carts.services.checks import Products
from carts.services.items import Item, merged, new_line, with_quantity
from catalog.selectors import products_in_carts
from ecommerce.core import metrics


@dataclass(frozen=True, slots=True)
class Added:
    """The cart after an add."""

    cart: PricedCart
    is_new: bool
    """Whether a line was started, and not only raised."""


def add(*, access: Access, items: Sequence[Item]) -> Added:
    """Add to the lines of the items, or start them: all, or nothing at all.

    Adds of one item commute: of any number of parallel ones none is lost, and none waits.

    Raises:
        CartNotFoundError: none that the shopper may change.
        ProductNotFoundError, ProductUnavailableError, UnknownVariantError,
        InsufficientStockError: of an item.
        LineLimitError, CartFullError: the cart may not hold that much.
        PreconditionFailedError: the cart has another version.
        CartBusyError: it moved under every try.
    """
    items = merged(items)
    for cart in attempts(access):
        if access.is_done_in(cart):
            return Added(selectors.priced(cart), is_new=False)
        offers, products = _offers(cart, items)
        lines = with_items(cart["items"], items, offers)
        row = _written(access, cart, items, offers, lines)
        if (now := priced(row, products)) is not None:
            return _counted(Added(now, is_new=len(lines) > len(cart["items"])))
    raise AssertionError("attempts end in a result or an error")


def _counted(added: Added) -> Added:
    metrics.CART_ADDS["new" if added.is_new else "raised"].inc()
    metrics.CART_VALUE.labels(added.cart.currency).observe(added.cart.subtotal)
    return added


def with_items(
    lines: Iterable[LineRow], items: Sequence[Item], offers: Sequence[Offer]
) -> list[LineRow]:
    """The lines after an add, if they may be so.

    Raises:
        LineLimitError, InsufficientStockError, CartFullError: they may not.
    """
    by_key = {line["key"]: line for line in lines}
    for item, offer in zip(items, offers, strict=True):
        held = by_key.get(offer.key)
        if held is None and len(by_key) >= MAX_LINES:
            raise CartFullError
        before = held["quantity"] if held else 0
        checks.check_quantity(offer, item.quantity, before)
        by_key[offer.key] = (
            with_quantity(held, item, before + item.quantity) if held else new_line(offer, item)
        )
    return list(by_key.values())


def _offers(cart: CartRow, items: Sequence[Item]) -> tuple[list[Offer], Products]:
    wanted = [ObjectId(item.product_id) for item in items]
    products = products_in_carts({*selectors.product_ids(cart), *wanted})
    return [
        checks.offered(products, product, item.sku)
        for product, item in zip(wanted, items, strict=True)
    ], products


def _written(
    access: Access,
    cart: CartRow,
    items: Sequence[Item],
    offers: Sequence[Offer],
    lines: list[LineRow],
) -> CartRow | None:
    if len(items) > 1:
        return updates.rewrite(access, cart, items=lines)
    write = updates.start_line if len(lines) > len(cart["items"]) else updates.raise_line
    return write(access, cart, items[0], offers[0])
