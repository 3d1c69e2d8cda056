"""The operations on carts. Each change is one guarded atomic update.

A change reads first, to say what is wrong in words, but decides nothing by it: what must hold
stands in the filter of the update. An add whose update finds nothing, because the cart moved
meanwhile, is tried again from the start.
"""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from bson import ObjectId

from accounts.principal import Principal
from accounts.rules import MANAGES_ALL_CARTS
from accounts.selectors import user as user_visible_to
from carts import selectors
from carts.documents import CartRow, LineRow, ShoppingCart
from carts.errors import CartBusyError, ForeignUserError, LineNotFoundError, ProductUnavailableError
from carts.pricing import PricedCart
from carts.services import checks, updates
from carts.services.checks import Item
from carts.services.updates import Versions
from catalog.documents import ProductRow
from catalog.selectors import is_for_sale, products_in_carts
from ecommerce.core.errors import PreconditionFailedError
from ecommerce.core.mongo import collection, insert

_ATTEMPTS: Final = 5
"""How often an add is tried when the cart moves between the read and the guarded update."""


class ShoppingCartService:
    """Create, add, update, remove, clear, replace, delete."""

    @staticmethod
    def create(
        *, caller: Principal, items: Sequence[Item] = (), user_id: str | None = None
    ) -> PricedCart:
        """A new cart for the caller, or for `user_id` where the caller is staff.

        Raises:
            ForeignUserError: a customer named somebody else.
            UserNotFoundError: staff named nobody.
            ProductNotFoundError, ProductUnavailableError, InsufficientStockError: of an item.
        """
        owner, items = _owner(caller, user_id), checks.merged(items)
        products = checks.products_for(items)
        cart = ShoppingCart(id=ObjectId(), user_id=owner, items=_lines(items, products))
        return PricedCart(cast(CartRow, insert(cart)), products)

    @staticmethod
    def add(
        *, cart_id: str, caller: Principal, item: Item, expected_versions: Versions = None
    ) -> tuple[PricedCart, bool]:
        """Add to the product's line, or start one; the cart, and whether the line is new.

        Adds commute: without `expected_versions` none of any number of parallel adds is lost.

        Raises:
            CartNotFoundError, OwnerOnlyError: not the caller's cart.
            ProductNotFoundError, ProductUnavailableError, InsufficientStockError: of the product.
            LineLimitError, CartFullError: the cart may not hold that much.
            PreconditionFailedError: the cart has another version.
        """
        product_id = ObjectId(item.product_id)
        for _ in range(_ATTEMPTS):
            cart = checks.own_cart(cart_id, caller, expected_versions)
            products = products_in_carts({*selectors.product_ids(cart), product_id})
            product = checks.for_sale(products, product_id)
            checks.check_room(cart, product, item.quantity)
            is_new = checks.line_of(cart, product_id) is None
            write = updates.start_line if is_new else updates.raise_line
            row = write(updates.guard(cart, expected_versions), item.quantity, product)
            if row is not None:
                return _priced(row, products), is_new
        raise CartBusyError

    @staticmethod
    def set_quantity(
        *,
        cart_id: str,
        caller: Principal,
        product_id: str,
        quantity: int | None,
        expected_versions: Versions = None,
    ) -> PricedCart:
        """Set how many of a product the cart holds; None leaves it.

        Raises:
            CartNotFoundError, OwnerOnlyError: not the caller's cart.
            LineNotFoundError: the product is not in it.
            ProductUnavailableError, InsufficientStockError: of the product.
            PreconditionFailedError: the cart has another version.
        """
        cart = checks.own_cart(cart_id, caller, expected_versions)
        wanted = checks.in_cart(cart, product_id)
        products = products_in_carts(selectors.product_ids(cart))
        if quantity is None:
            return PricedCart(cart, products)
        product = products.get(wanted)
        if product is None or not is_for_sale(product):
            raise ProductUnavailableError
        checks.check_stock(product, quantity)
        row = updates.update(
            {**updates.guard(cart, expected_versions), "items.product_id": wanted},
            {"$set": {"items.$.quantity": quantity}},
        )
        if row is None:
            raise checks.why_not(cart, caller, LineNotFoundError())
        return _priced(row, products)

    @staticmethod
    def remove(
        *, cart_id: str, caller: Principal, product_id: str, expected_versions: Versions = None
    ) -> PricedCart:
        """Take a product out of the cart.

        Raises:
            CartNotFoundError, OwnerOnlyError: not the caller's cart.
            LineNotFoundError: the product is not in it.
            PreconditionFailedError: the cart has another version.
        """
        cart = checks.own_cart(cart_id, caller, expected_versions)
        product = checks.in_cart(cart, product_id)
        row = updates.update(
            {**updates.guard(cart, expected_versions), "items.product_id": product},
            {"$pull": {"items": {"product_id": product}}},
        )
        if row is None:
            raise checks.why_not(cart, caller, LineNotFoundError())
        return selectors.priced(row)

    @staticmethod
    def clear(*, cart_id: str, caller: Principal, expected_versions: Versions = None) -> PricedCart:
        """Take everything out of the cart.

        Raises:
            CartNotFoundError, OwnerOnlyError: not the caller's cart.
            PreconditionFailedError: the cart has another version.
        """
        where = selectors.owned(cart_id, caller=caller)
        row = updates.update(
            {**where, **updates.at_version(expected_versions)}, {"$set": {"items": []}}
        )
        if row is None:
            selectors.own_cart(cart_id, caller=caller)  # raises when it is not there
            raise PreconditionFailedError
        return PricedCart(row, {})

    @staticmethod
    def replace(
        *,
        cart_id: str,
        caller: Principal,
        items: Sequence[Item] | None,
        user_id: str | None = None,
        expected_versions: Versions = None,
    ) -> PricedCart:
        """Have the cart hold these items and nothing else; with None its lines stay.

        Staff may do it for any cart.

        Raises:
            CartNotFoundError: not the caller's to see.
            ForeignUserError: a cart does not change its owner.
            ProductNotFoundError, ProductUnavailableError, InsufficientStockError: of an item.
            PreconditionFailedError: the cart has another version.
        """
        where = selectors.reachable(cart_id, caller=caller)
        present = selectors.cart_row(where)
        if user_id is not None and user_id != str(present["user_id"]):
            raise ForeignUserError("A cart does not change its owner: leave `user_id` out.")
        checks.check_version(present, expected_versions)
        if items is None:
            return selectors.priced(present)
        items = checks.merged(items)
        products = checks.products_for(items)
        row = updates.update(
            {**where, **updates.at_version(expected_versions)},
            {"$set": {"items": _lines(items, products)}},
        )
        if row is None:
            selectors.cart_row(where)  # raises when it is gone
            raise PreconditionFailedError
        return PricedCart(row, products)

    @staticmethod
    def delete(*, cart_id: str, caller: Principal, expected_versions: Versions = None) -> None:
        """Delete a cart. Staff may delete any.

        Raises:
            CartNotFoundError: not the caller's to see.
            PreconditionFailedError: the cart has another version.
        """
        where = selectors.reachable(cart_id, caller=caller)
        deleted = collection(ShoppingCart).delete_one(
            {**where, **updates.at_version(expected_versions)}
        )
        if not deleted.deleted_count:
            selectors.cart_row(where)  # raises when it is not there
            raise PreconditionFailedError

    @staticmethod
    def delete_all_of(user_id: ObjectId) -> None:
        """Delete every cart of a user who is gone; safe to repeat."""
        collection(ShoppingCart).delete_many({"user_id": user_id})


def _owner(caller: Principal, user_id: str | None) -> ObjectId:
    if user_id is None or user_id == str(caller.id):
        return caller.id
    if not caller.may(MANAGES_ALL_CARTS):
        raise ForeignUserError
    return user_visible_to(user_id, caller=caller)["_id"]


def _lines(items: Sequence[Item], products: Mapping[ObjectId, ProductRow]) -> list[LineRow]:
    return [updates.new_line(products[ObjectId(i.product_id)], i.quantity) for i in items]


def _priced(row: CartRow, products: Mapping[ObjectId, ProductRow]) -> PricedCart:
    """With the products already read; another request's new line needs one more read."""
    if selectors.product_ids(row) <= products.keys():
        return PricedCart(row, products)
    return selectors.priced(row)
