"""All reads of carts. Every one asks who is calling: carts are owned."""

from typing import Any, cast

from bson import ObjectId

from accounts.principal import Principal
from accounts.rules import SEES_ALL_CARTS
from carts.documents import CartRow, ShoppingCart
from carts.errors import CartNotFoundError, OwnerOnlyError
from carts.pricing import PricedCart
from catalog.selectors import products_in_carts
from ecommerce.core.ids import parse_id
from ecommerce.core.mongo import collection
from ecommerce.core.pagination import Page, PageRequest, fetch_page


def reachable(cart_id: str, *, caller: Principal) -> dict[str, Any]:
    """The filter for a cart the caller may see: their own, and for staff any.

    Raises:
        CartNotFoundError: the id is malformed.
    """
    wanted = {"_id": parse_id(cart_id, CartNotFoundError)}
    return wanted if caller.may(SEES_ALL_CARTS) else {**wanted, "user_id": caller.id}


def owned(cart_id: str, *, caller: Principal) -> dict[str, Any]:
    """The filter for the caller's own cart.

    Raises:
        CartNotFoundError: the id is malformed.
    """
    return {"_id": parse_id(cart_id, CartNotFoundError), "user_id": caller.id}


def own_cart(cart_id: str, *, caller: Principal) -> CartRow:
    """The caller's own cart, as stored.

    Raises:
        CartNotFoundError: unknown, or somebody else's.
        OwnerOnlyError: somebody else's, and the caller is staff and sees it.
    """
    row = collection(ShoppingCart).find_one(owned(cart_id, caller=caller))
    if row is None:
        raise why_not_own(cart_id, caller=caller)
    return cast(CartRow, row)


def why_not_own(cart_id: str, *, caller: Principal) -> CartNotFoundError | OwnerOnlyError:
    """The error for a cart that is not the caller's own."""
    if caller.may(SEES_ALL_CARTS) and _find(reachable(cart_id, caller=caller)) is not None:
        return OwnerOnlyError()
    return CartNotFoundError()


def cart(cart_id: str, *, caller: Principal) -> PricedCart:
    """A cart the caller may see, with present prices: two reads, whatever its size.

    Raises:
        CartNotFoundError: none that the caller may see.
    """
    return priced(cart_row(reachable(cart_id, caller=caller)))


def cart_row(where: dict[str, Any]) -> CartRow:
    """The stored cart that a filter of this module finds.

    Raises:
        CartNotFoundError: none.
    """
    row = _find(where)
    if row is None:
        raise CartNotFoundError
    return row


def priced(row: CartRow) -> PricedCart:
    """The cart with its products, in one read."""
    return PricedCart(row, products_in_carts(product_ids(row)))


def product_ids(row: CartRow) -> set[ObjectId]:
    """The products that stand in the cart."""
    return {line["product_id"] for line in row["items"]}


def cart_page(request: PageRequest, *, caller: Principal) -> tuple[Page, list[PricedCart]]:
    """The caller's own carts, newest first, with present prices: two reads."""
    page = fetch_page(
        collection(ShoppingCart),
        tiers=[{"user_id": caller.id}],
        ordering=(("_id", -1),),
        request=request,
    )
    rows = [cast(CartRow, row) for row in page.rows]
    products = products_in_carts({product for row in rows for product in product_ids(row)})
    return page, [PricedCart(row, products) for row in rows]


def has_carts(user_id: ObjectId) -> bool:
    """Whether the user has any cart."""
    return _find({"user_id": user_id}) is not None


def _find(where: dict[str, Any]) -> CartRow | None:
    return cast(CartRow | None, collection(ShoppingCart).find_one(where))
