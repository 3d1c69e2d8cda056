"""What must hold before a cart changes, said in words. The updates guard the same by themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bson import ObjectId

from accounts.principal import Principal
from carts import selectors
from carts.documents import CartRow, LineRow
from carts.errors import (
    CartFullError,
    CartNotFoundError,
    InsufficientStockError,
    LineLimitError,
    LineNotFoundError,
    OwnerOnlyError,
    ProductUnavailableError,
)
from carts.limits import MAX_LINE_QUANTITY, MAX_LINES
from carts.services.updates import Versions
from catalog.documents import ProductRow
from catalog.errors import ProductNotFoundError
from catalog.selectors import is_deleted, is_for_sale, products_in_carts
from ecommerce.core.errors import DomainError, PreconditionFailedError
from ecommerce.core.ids import parse_id


@dataclass(frozen=True, slots=True)
class Item:
    """A product and how many of it, as a client asks for it."""

    product_id: str
    quantity: int


def own_cart(cart_id: str, caller: Principal, expected_versions: Versions) -> CartRow:
    """The caller's cart at an accepted version.

    Raises:
        CartNotFoundError, OwnerOnlyError, PreconditionFailedError: it is not.
    """
    cart = selectors.own_cart(cart_id, caller=caller)
    check_version(cart, expected_versions)
    return cart


def check_version(cart: CartRow, expected_versions: Versions) -> None:
    """Raise PreconditionFailedError unless the cart has an accepted version."""
    if expected_versions is not None and cart["version"] not in expected_versions:
        raise PreconditionFailedError


def why_not(cart: CartRow, caller: Principal, otherwise: DomainError) -> DomainError:
    """Why a guarded update found nothing: the cart is gone, or moved on, or `otherwise`."""
    try:
        present = selectors.own_cart(str(cart["_id"]), caller=caller)
    except (CartNotFoundError, OwnerOnlyError) as gone:
        return gone
    return otherwise if present["version"] == cart["version"] else PreconditionFailedError()


def line_of(cart: CartRow, product_id: ObjectId) -> LineRow | None:
    """The line of a product."""
    return next((line for line in cart["items"] if line["product_id"] == product_id), None)


def in_cart(cart: CartRow, product_id: str) -> ObjectId:
    """The id of a product that stands in the cart.

    Raises:
        LineNotFoundError: it does not.
    """
    wanted = parse_id(product_id, LineNotFoundError)
    if line_of(cart, wanted) is None:
        raise LineNotFoundError
    return wanted


def for_sale(products: Mapping[ObjectId, ProductRow], product_id: ObjectId) -> ProductRow:
    """The product, if customers can buy it.

    Raises:
        ProductNotFoundError: there is none.
        ProductUnavailableError: it is a draft or archived.
    """
    product = products.get(product_id)
    if product is None or is_deleted(product):
        raise ProductNotFoundError(product_id=str(product_id))
    if not is_for_sale(product):
        raise ProductUnavailableError(product_id=str(product_id))
    return product


def check_stock(product: ProductRow, wanted: int, in_cart: int = 0) -> None:
    """Raise InsufficientStockError when fewer are left than the line would hold."""
    if wanted + in_cart > product["quantity"]:
        raise InsufficientStockError(
            product_id=str(product["_id"]), available=product["quantity"], in_cart=in_cart
        )


def check_room(cart: CartRow, product: ProductRow, quantity: int) -> None:
    """Raise the error of the limit that adding this many would break, if any."""
    line = line_of(cart, product["_id"])
    held = line["quantity"] if line else 0
    if line is None and len(cart["items"]) >= MAX_LINES:
        raise CartFullError
    if held + quantity > MAX_LINE_QUANTITY:
        raise LineLimitError(in_cart=held)
    check_stock(product, quantity, held)


def merged(items: Sequence[Item]) -> list[Item]:
    """One item a product: what is named twice is added up.

    Raises:
        LineLimitError: a line would hold more than it may.
    """
    totals: dict[str, int] = {}
    for item in items:
        totals[item.product_id] = totals.get(item.product_id, 0) + item.quantity
    if any(quantity > MAX_LINE_QUANTITY for quantity in totals.values()):
        raise LineLimitError
    return [Item(product_id, quantity) for product_id, quantity in totals.items()]


def products_for(items: Sequence[Item]) -> dict[ObjectId, ProductRow]:
    """The products of the items, in one read, each for sale and with enough in stock.

    Raises:
        ProductNotFoundError, ProductUnavailableError, InsufficientStockError: of an item.
    """
    products = products_in_carts({ObjectId(item.product_id) for item in items})
    for item in items:
        check_stock(for_sale(products, ObjectId(item.product_id)), item.quantity)
    return products
