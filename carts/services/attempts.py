"""Trying again: a guarded update that finds nothing says that the cart has moved meanwhile."""

import random
import time
from collections.abc import Callable, Iterator
from typing import Final

from carts import selectors
from carts.documents import CartRow
from carts.errors import CartBusyError
from carts.pricing import PricedCart
from carts.services import checks
from carts.services.access import Access
from carts.services.checks import Products

_ATTEMPTS: Final = 64
_PATIENT: Final = 3
"""Tries before the first pause."""
_LONGEST_PAUSE: Final = 0.02
"""Seconds. Random, so that those who met once do not meet again."""


def pauses() -> Iterator[None]:
    """As many tries as there are, with pauses between the later ones."""
    for number in range(_ATTEMPTS):
        if number >= _PATIENT:
            time.sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311 - a pause, not a secret
        yield


def attempts(access: Access) -> Iterator[CartRow]:
    """The cart, read anew for each try.

    Raises:
        CartNotFoundError, CartMergedError, PreconditionFailedError: it is not to be changed.
        CartBusyError: it moved under every try; nothing was done.
    """
    for _ in pauses():
        yield checks.reached(access)
    raise CartBusyError


def changed(access: Access, attempt: Callable[[CartRow], PricedCart | None]) -> PricedCart:
    """The cart after the first try that gives one; as it is, if an earlier request did it."""
    for cart in attempts(access):
        done = selectors.priced(cart) if access.is_done_in(cart) else attempt(cart)
        if done is not None:
            return done
    raise AssertionError("attempts end in a result or an error")


def priced(row: CartRow | None, products: Products) -> PricedCart | None:
    """With the products already read; another request's new line needs one more read."""
    if row is None or selectors.product_ids(row) <= products.keys():
        return row and PricedCart(row, products)
    return selectors.priced(row)
