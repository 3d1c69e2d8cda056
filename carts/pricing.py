"""What a cart is worth: its lines at the catalog's present prices, and what is wrong with them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bson import ObjectId
from django.conf import settings

from carts.documents import CartRow, LineRow
from catalog.documents import ProductRow
from catalog.selectors import is_for_sale


@dataclass(frozen=True, slots=True)
class LineProblem:
    """Why a line cannot be bought as it is."""

    code: str
    detail: str
    available_quantity: int


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One line with what the catalog says of it now. Amounts in minor units."""

    product_id: ObjectId
    quantity: int
    name: str
    unit_price: int
    price_at_add: int
    available: bool
    problem: LineProblem | None

    @property
    def total(self) -> int:
        """Unit price times quantity."""
        return self.unit_price * self.quantity

    @property
    def price_changed(self) -> bool:
        """Whether the catalog's price is another than when the line was added."""
        return self.unit_price != self.price_at_add


class PricedCart:
    """A stored cart together with the products its lines name."""

    def __init__(self, row: CartRow, products: Mapping[ObjectId, ProductRow]) -> None:
        self.row = row
        self.currency: str = settings.CURRENCY
        self._products = products

    @cached_property
    def lines(self) -> list[PricedLine]:
        """The lines in the order they were added."""
        return [_priced(line, self._products.get(line["product_id"])) for line in self.row["items"]]

    @property
    def total_quantity(self) -> int:
        """Pieces in all lines."""
        return sum(line.quantity for line in self.lines)

    @property
    def subtotal(self) -> int:
        """What the available lines cost, in minor units: what cannot be bought costs nothing."""
        return sum(line.total for line in self.lines if line.available)

    @property
    def digest(self) -> str:
        """Changes whenever the answer does for a reason that is not the cart's own version."""
        parts = (f"{x.name}|{x.unit_price}|{x.available}|{x.problem}" for x in self.lines)
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


def _priced(line: LineRow, product: ProductRow | None) -> PricedLine:
    sold = product is not None and is_for_sale(product)
    return PricedLine(
        product_id=line["product_id"],
        quantity=line["quantity"],
        name=product["name"] if product else line["name_at_add"],
        unit_price=product["price_minor"] if product else line["price_at_add_minor"],
        price_at_add=line["price_at_add_minor"],
        available=sold,
        problem=_problem(line["quantity"], product if sold else None),
    )


def _problem(quantity: int, product: ProductRow | None) -> LineProblem | None:
    if product is None:
        return LineProblem("product_unavailable", "This product is not for sale any more.", 0)
    left = product["quantity"]
    if quantity > left:
        return LineProblem("insufficient_stock", f"Only {left} of this product are left.", left)
    return None
