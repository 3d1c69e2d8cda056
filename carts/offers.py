"""What the catalog asks now for what a line names: a product, or one variant of it."""

from collections.abc import Mapping
from typing import NamedTuple

from bson import ObjectId

from carts.documents import line_key
from catalog.documents import ProductRow, VariantRow
from catalog.selectors import is_for_sale


class Offer(NamedTuple):
    """A product or a variant as it can be bought now. Amounts in minor units.

    A tuple: each line of a cart makes one, and a frozen dataclass takes four times as long.
    """

    product_id: ObjectId
    sku: str | None
    name: str
    price: int
    left: int
    """Pieces in stock."""
    is_sold: bool = True
    """False for drafts and what is archived or deleted: it still has a name and a price."""
    options: Mapping[str, str] | None = None

    @property
    def key(self) -> str:
        """The key of its line."""
        return line_key(self.product_id, self.sku)


def offer_of(product: ProductRow | None, sku: str | None) -> Offer | None:
    """What is offered; None where the product or the variant is gone.

    A product with variants is sold only as one of them.
    """
    if product is None:
        return None
    variants = product.get("variants", [])
    if not variants and sku is None:
        return _offer(product, product["price_minor"], product["quantity"])
    variant = next((one for one in variants if one["sku"] == sku), None)
    return variant and _variant_offer(product, variant)


def _variant_offer(product: ProductRow, variant: VariantRow) -> Offer:
    price = variant.get("price_minor", product["price_minor"])
    options = {option["name"]: option["value"] for option in variant["options"]}
    return _offer(product, price, variant["quantity"], variant["sku"], options)


def _offer(
    product: ProductRow,
    price: int,
    left: int,
    sku: str | None = None,
    options: Mapping[str, str] | None = None,
) -> Offer:
    sold = is_for_sale(product)
    return Offer(product["_id"], sku, product["name"], price, left, sold, options)
