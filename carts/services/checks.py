"""What must hold before a cart changes, said in words. The updates guard the same by themselves."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from bson import ObjectId

from accounts.rules import MANAGES_ALL_CARTS
from carts import selectors
from carts.documents import CartRow, LineRow, line_key
from carts.errors import (
    AmbiguousItemError,
    CartMergedError,
    InsufficientStockError,
    LineLimitError,
    LineNotFoundError,
    ProductUnavailableError,
    UnknownVariantError,
)
from carts.limits import MAX_LINE_QUANTITY
from carts.offers import Offer, offer_of
from carts.services.access import Access
from carts.services.items import Item
from catalog.documents import ProductRow
from catalog.errors import ProductNotFoundError
from catalog.selectors import is_deleted, products_in_carts
from ecommerce.core import metrics
from ecommerce.core.errors import PreconditionFailedError
from ecommerce.core.ids import is_id

Products = Mapping[ObjectId, ProductRow]
Place = Literal["items", "saved_items"]
"""Where in a cart a line stands."""


def reached(access: Access) -> CartRow:
    """The cart as it is now, or as an earlier try of this operation left it.

    Raises:
        CartNotFoundError: none that the shopper may change.
        CartMergedError: it has gone into another.
        PreconditionFailedError: it has another version.
    """
    cart = selectors.cart_row(
        selectors.reachable(access.cart_id, shopper=access.shopper, rule=MANAGES_ALL_CARTS)
    )
    if access.is_done_in(cart):
        return cart
    if "merge" in cart:
        raise CartMergedError(selectors.merged_into(cart, shopper=access.shopper))
    if not access.accepts(cart):
        raise PreconditionFailedError
    return cart


def line_of(lines: Iterable[LineRow], key: str) -> LineRow | None:
    """The line with this key."""
    return next((line for line in lines if line["key"] == key), None)


def named_line(
    cart: CartRow, product_id: str, sku: str | None, *, place: Place = "items"
) -> LineRow:
    """The line that a path names: the product's only one, or that of the variant `sku`.

    Raises:
        LineNotFoundError: there is none.
        AmbiguousItemError: there are several, and no `sku` was given.
    """
    if not is_id(product_id):
        raise LineNotFoundError
    product = ObjectId(product_id)
    lines = [line for line in cart[place] if line["product_id"] == product]
    exact = line_of(lines, line_key(product, sku))
    if exact is not None:
        return exact
    if sku is not None or not lines:
        raise LineNotFoundError
    if len(lines) > 1:
        raise AmbiguousItemError([line["sku"] for line in lines if "sku" in line])
    return lines[0]


def offered(products: Products, product_id: ObjectId, sku: str | None) -> Offer:
    """What is offered for sale as this product, or this variant of it.

    Raises:
        ProductNotFoundError: there is no such product.
        ProductUnavailableError: it is a draft or archived.
        UnknownVariantError: it has variants and `sku` is none of them, or it has none.
    """
    product = products.get(product_id)
    if product is None or is_deleted(product):
        raise ProductNotFoundError(product_id=str(product_id))
    offer = offer_of(product, sku)
    if offer is None:
        skus = [variant["sku"] for variant in product.get("variants", ())]
        raise UnknownVariantError(product_id=str(product_id), skus=skus)
    if not offer.is_sold:
        raise ProductUnavailableError(product_id=str(product_id))
    return offer


def still_offered(products: Products, line: LineRow) -> Offer:
    """What is offered for a line that is in the cart already.

    Raises:
        ProductUnavailableError: nothing any more.
    """
    offer = offer_of(products.get(line["product_id"]), line.get("sku"))
    if offer is None or not offer.is_sold:
        raise ProductUnavailableError(product_id=str(line["product_id"]))
    return offer


def check_quantity(offer: Offer, quantity: int, held: int | None) -> None:
    """Whether a line may hold this many.

    Args:
        held: what it holds, to which the quantity is added; None where it is set.

    Raises:
        LineLimitError, InsufficientStockError: it may not.
    """
    wanted = (held or 0) + quantity
    if wanted > MAX_LINE_QUANTITY:
        raise LineLimitError(in_cart=held or 0)
    if wanted > offer.left:
        metrics.STOCK_REFUSALS.inc()
        raise InsufficientStockError(
            product_id=str(offer.product_id),
            sku=offer.sku,
            available_quantity=offer.left,
            in_cart=held,
        )


def offers_for(
    items: Sequence[Item], *, held: int | None, beside: Iterable[LineRow] = ()
) -> tuple[list[Offer], Products]:
    """What is offered for the items, each with enough in stock; their products, in one read.

    Args:
        held: 0 in a new cart; None where they are all that the cart holds afterwards.
        beside: further lines whose products are wanted.

    Raises:
        ProductNotFoundError, ProductUnavailableError, UnknownVariantError,
        InsufficientStockError: of an item.
    """
    wanted = {ObjectId(item.product_id) for item in items}
    products = products_in_carts(wanted | {line["product_id"] for line in beside})
    offers = [offered(products, ObjectId(item.product_id), item.sku) for item in items]
    for item, offer in zip(items, offers, strict=True):
        check_quantity(offer, item.quantity, held)
    return offers, products
