"""Saved for later: moving lines between a cart's items and its saved items, in one update."""

from carts import selectors
from carts.documents import CartRow, LineRow
from carts.errors import CartFullError, LineLimitError
from carts.limits import MAX_LINE_QUANTITY, MAX_LINES
from carts.pricing import PricedCart
from carts.services import checks, updates
from carts.services.access import Access
from carts.services.attempts import changed, priced
from carts.services.items import united
from catalog.selectors import products_in_carts


def save_for_later(*, access: Access, product_id: str, sku: str | None = None) -> PricedCart:
    """Move a line out of the cart into what is saved; added to the line that may stand there.

    Raises:
        CartNotFoundError: none that the shopper may change.
        LineNotFoundError, AmbiguousItemError: the product is not in it, or in several variants.
        LineLimitError, CartFullError: no more can be saved.
        PreconditionFailedError: the cart has another version.
    """

    def attempt(cart: CartRow) -> PricedCart | None:
        line = checks.named_line(cart, product_id, sku)
        items, saved = moved(line, cart["items"], cart["saved_items"])
        row = updates.rewrite(access, cart, items=items, saved_items=saved)
        return None if row is None else selectors.priced(row)

    return changed(access, attempt)


def restore(*, access: Access, product_id: str, sku: str | None = None) -> PricedCart:
    """Move a saved line back into the cart, under the rules of adding.

    Raises:
        CartNotFoundError: none that the shopper may change.
        LineNotFoundError, AmbiguousItemError: the product is not saved, or in several variants.
        ProductUnavailableError, InsufficientStockError: of the product.
        LineLimitError, CartFullError: the cart may not hold that much.
        PreconditionFailedError: the cart has another version.
    """

    def attempt(cart: CartRow) -> PricedCart | None:
        line = checks.named_line(cart, product_id, sku, place="saved_items")
        products = products_in_carts(selectors.product_ids(cart))
        saved, items = moved(line, cart["saved_items"], cart["items"])
        held = checks.line_of(cart["items"], line["key"])
        offer = checks.still_offered(products, line)
        checks.check_quantity(offer, line["quantity"], held["quantity"] if held else 0)
        row = updates.rewrite(access, cart, items=items, saved_items=saved)
        return priced(row, products)

    return changed(access, attempt)


def moved(
    line: LineRow, here: list[LineRow], there: list[LineRow]
) -> tuple[list[LineRow], list[LineRow]]:
    """Both lists after the line has gone from the one to the other.

    A line that stands there already keeps its price and its words, and takes those it lacks.

    Raises:
        LineLimitError, CartFullError: it has no room there.
    """
    left = [one for one in here if one["key"] != line["key"]]
    held = checks.line_of(there, line["key"])
    if held is None:
        if len(there) >= MAX_LINES:
            raise CartFullError
        return left, [*there, line]
    if held["quantity"] + line["quantity"] > MAX_LINE_QUANTITY:
        raise LineLimitError(in_cart=held["quantity"])
    both = united(held, line, held["quantity"] + line["quantity"])
    return left, [both if one is held else one for one in there]
