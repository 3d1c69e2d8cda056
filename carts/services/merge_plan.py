"""What two carts are together. Nothing is lost in silence: what does not fit is reported."""

from dataclasses import dataclass, field
from enum import StrEnum

from carts.documents import AdjustmentRow, CartRow, LineRow
from carts.limits import MAX_LINE_QUANTITY, MAX_LINES
from carts.offers import offer_of
from carts.services.checks import Products
from carts.services.items import united


class MergeMode(StrEnum):
    """What becomes of a line that stands in the same place of both carts, items or saved items.

    Every other line is kept in each mode.
    """

    SUM = "sum"
    MAX = "max"
    KEEP_GUEST = "keep-guest"
    KEEP_MINE = "keep-mine"


class Shortfall(StrEnum):
    """Why a line got less than was asked."""

    PRODUCT_UNAVAILABLE = "product_unavailable"
    INSUFFICIENT_STOCK = "insufficient_stock"
    QUANTITY_LIMIT = "quantity_limit"
    CART_FULL = "cart_full"
    SAVED_FULL = "saved_full"
    """There is no place left among the saved items either: the line stays in the source alone."""


@dataclass(frozen=True, slots=True)
class MergePlan:
    """The target's lines as they will be, by key, and what had to be adjusted."""

    items: dict[str, LineRow]
    saved: dict[str, LineRow]
    adjustments: list[AdjustmentRow] = field(default_factory=list)


def plan(*, source: CartRow, target: CartRow, mode: MergeMode, products: Products) -> MergePlan:
    """The target after the source's lines were merged into it.

    A line holds no more than its limit and than is in stock, but a merge never takes from what the
    target holds already. A new line that gets nothing is saved for later.

    What both have saved is settled first: what comes to it from the items is added in each mode.
    """
    made = MergePlan(_by_key(target["items"]), _by_key(target["saved_items"]))
    for line in source["saved_items"]:
        _merge_saved(made, line, mode)
    for line in source["items"]:
        _merge_item(made, line, mode, products)
    return made


def _by_key(lines: list[LineRow]) -> dict[str, LineRow]:
    return {line["key"]: line for line in lines}


def _merge_item(made: MergePlan, line: LineRow, mode: MergeMode, products: Products) -> None:
    mine = made.items.get(line["key"])
    asked = _asked(line, mine, mode)
    why, room = _room(made, line, products)
    got = max(min(asked, room), min(asked, mine["quantity"] if mine else 0))
    if not got:
        _save_instead(made, line, why)
        return
    made.items[line["key"]] = _together(line, mine, mode, got)
    if got < asked:
        made.adjustments.append(_adjustment(why, line, asked, got, 0))


def _save_instead(made: MergePlan, line: LineRow, why: Shortfall) -> None:
    """Add to what is saved a line that the target has not among its items, and cannot have."""
    asked, mine = line["quantity"], made.saved.get(line["key"])
    if mine is None and _is_saved_full(made):
        made.adjustments.append(_adjustment(Shortfall.SAVED_FULL, line, asked, 0, 0))
        return
    held = mine["quantity"] if mine else 0
    saved = min(asked, MAX_LINE_QUANTITY - held)
    if saved:
        made.saved[line["key"]] = united(mine or line, line, held + saved)
    made.adjustments.append(_adjustment(why, line, asked, 0, saved))


def _merge_saved(made: MergePlan, line: LineRow, mode: MergeMode) -> None:
    guests, mine = line["quantity"], made.saved.get(line["key"])
    if mine is None and _is_saved_full(made):
        made.adjustments.append(_adjustment(Shortfall.SAVED_FULL, line, guests, 0, 0))
        return
    asked = _asked(line, mine, mode)
    saved = min(asked, MAX_LINE_QUANTITY)
    made.saved[line["key"]] = _together(line, mine, mode, saved)
    if saved < asked:
        kept = guests - (asked - saved)
        made.adjustments.append(_adjustment(Shortfall.QUANTITY_LIMIT, line, guests, 0, kept))


def _is_saved_full(made: MergePlan) -> bool:
    return len(made.saved) >= MAX_LINES


def _asked(line: LineRow, mine: LineRow | None, mode: MergeMode) -> int:
    if mine is None:
        return line["quantity"]
    guests, own = line["quantity"], mine["quantity"]
    return {
        MergeMode.SUM: guests + own,
        MergeMode.MAX: max(guests, own),
        MergeMode.KEEP_GUEST: guests,
        MergeMode.KEEP_MINE: own,
    }[mode]


def _room(made: MergePlan, line: LineRow, products: Products) -> tuple[Shortfall, int]:
    """How many the line may hold, and what keeps it from holding more."""
    offer = offer_of(products.get(line["product_id"]), line.get("sku"))
    if offer is None or not offer.is_sold:
        return Shortfall.PRODUCT_UNAVAILABLE, 0
    if line["key"] not in made.items and len(made.items) >= MAX_LINES:
        return Shortfall.CART_FULL, 0
    if offer.left < MAX_LINE_QUANTITY:
        return Shortfall.INSUFFICIENT_STOCK, offer.left
    return Shortfall.QUANTITY_LIMIT, MAX_LINE_QUANTITY


def _together(line: LineRow, mine: LineRow | None, mode: MergeMode, quantity: int) -> LineRow:
    """The line of both carts, as the one says it that wins in this mode."""
    mine = mine or line
    winner, other = (line, mine) if mode is MergeMode.KEEP_GUEST else (mine, line)
    return united(winner, other, quantity)


def _adjustment(code: Shortfall, line: LineRow, asked: int, got: int, saved: int) -> AdjustmentRow:
    made: AdjustmentRow = {
        "code": code.value,
        "product_id": line["product_id"],
        "asked": asked,
        "got": got,
        "saved": saved,
    }
    if "sku" in line:
        made["sku"] = line["sku"]
    return made
