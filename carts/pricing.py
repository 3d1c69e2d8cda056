"""What a cart is worth: its lines at the catalog's present prices, and what is wrong with them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple

from bson import ObjectId
from django.conf import settings

from carts.documents import CartRow, LineRow
from carts.offers import Offer, offer_of
from catalog.documents import ProductRow


class Fault(StrEnum):
    """What can be wrong with a line, the most severe first."""

    PRODUCT_UNAVAILABLE = "product_unavailable"
    INSUFFICIENT_STOCK = "insufficient_stock"
    PRICE_CHANGED = "price_changed"


@dataclass(frozen=True, slots=True)
class LineProblem:
    """Why a line cannot be bought as it was put into the cart. Amounts in minor units."""

    code: Fault
    available_quantity: int | None = None
    """Pieces that can be bought, where there are too few."""
    old_price: int | None = None
    new_price: int | None = None


class PricedLine(NamedTuple):
    """One line with what the catalog says of it now. Amounts in minor units.

    A tuple, worked out once: the answer and its tag ask for all of it, of up to 200 lines a cart.
    """

    row: LineRow
    name: str
    """The product's name; of one that is gone, the name it had."""
    options: Mapping[str, str]
    """What makes the variant differ; nothing for a product without variants."""
    unit_price: int
    """The price now; of what is gone, the last that the shopper saw."""
    available: bool
    """Whether it is for sale at all."""
    problems: Sequence[LineProblem]
    """What is wrong with it, the most severe first."""

    @property
    def total(self) -> int:
        """Unit price times quantity."""
        return self.unit_price * self.row["quantity"]

    @property
    def price_changed(self) -> bool:
        """Whether the catalog's price is another than the one the shopper saw."""
        return self.unit_price != self.row["price_at_add_minor"]


_GONE: Final = LineProblem(Fault.PRODUCT_UNAVAILABLE, available_quantity=0)
_NO_OPTIONS: Final[Mapping[str, str]] = {}


def priced_line(line: LineRow, offer: Offer | None) -> PricedLine:
    """A line beside what is offered for it now; None: nothing any more."""
    if offer is None:
        seen = line["price_at_add_minor"]
        return PricedLine(
            line, line["name_at_add"], _NO_OPTIONS, seen, available=False, problems=[_GONE]
        )
    options, problems = offer.options or _NO_OPTIONS, _problems(line, offer)
    return PricedLine(line, offer.name, options, offer.price, offer.is_sold, problems)


def _problems(line: LineRow, offer: Offer) -> list[LineProblem]:
    found = []
    if not offer.is_sold:
        found.append(_GONE)
    elif line["quantity"] > offer.left:
        found.append(LineProblem(Fault.INSUFFICIENT_STOCK, offer.left))
    old, new = line["price_at_add_minor"], offer.price
    if old != new:
        found.append(LineProblem(Fault.PRICE_CHANGED, old_price=old, new_price=new))
    return found


class PricedCart:
    """A stored cart together with the products its lines name."""

    def __init__(self, row: CartRow, products: Mapping[ObjectId, ProductRow]) -> None:
        self.row = row
        self.currency: str = settings.CURRENCY
        self._products = products

    @cached_property
    def lines(self) -> list[PricedLine]:
        """The lines in the order they were added."""
        return [self._priced(line) for line in self.row["items"]]

    @cached_property
    def saved_lines(self) -> list[PricedLine]:
        """The lines that are kept for later: no part of the totals."""
        return [self._priced(line) for line in self.row["saved_items"]]

    @property
    def total_quantity(self) -> int:
        """Pieces in all lines."""
        return sum(line["quantity"] for line in self.row["items"])

    @cached_property
    def subtotal(self) -> int:
        """What the available lines cost, in minor units: what cannot be bought costs nothing."""
        return sum(line.total for line in self.lines if line.available)

    @property
    def digest(self) -> str:
        """Changes whenever the answer does for a reason that is not the cart's own version."""
        # Most lines have no options and no problems: to format those too takes twice as long.
        parts = [
            f"{name}|{options or ''}|{price}|{problems or ''}"
            for _, name, options, price, _, problems in (*self.lines, *self.saved_lines)
        ]
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()

    def _priced(self, line: LineRow) -> PricedLine:
        product = self._products.get(line["product_id"])
        return priced_line(line, offer_of(product, line.get("sku")))
