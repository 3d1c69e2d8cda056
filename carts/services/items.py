"""What clients ask for: products and how many of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bson import ObjectId

from carts.documents import LineRow, line_key
from carts.errors import LineLimitError
from carts.limits import MAX_LINE_QUANTITY
from carts.offers import Offer
from ecommerce.core.mongo import utc_now

_WORDS: Final = ("note", "attributes")


@dataclass(frozen=True, slots=True)
class Item:
    """A product, or one variant of it, and how many; None for what was not said."""

    product_id: str
    quantity: int
    sku: str | None = None
    note: str | None = None
    attributes: Mapping[str, str] | None = None

    @property
    def key(self) -> str:
        """The key of its line."""
        return line_key(ObjectId(self.product_id), self.sku)

    def words(self) -> dict[str, Any]:
        """What was said about the line, as it is stored; nothing for what was not said."""
        return stored_words(self.note, self.attributes)


def stored_words(note: str | None, attributes: Mapping[str, str] | None) -> dict[str, Any]:
    """A note and attributes as a line stores them; None leaves what is there."""
    said: dict[str, Any] = {}
    if note is not None:
        said["note"] = note
    if attributes is not None:
        said["attributes"] = [{"name": k, "value": v} for k, v in attributes.items()]
    return said


def merged(items: Sequence[Item]) -> list[Item]:
    """One item a line: what is named twice is added up, and said last counts.

    Raises:
        LineLimitError: a line would hold more than it may.
    """
    lines: dict[str, Item] = {}
    for item in items:
        known = lines.get(item.key)
        lines[item.key] = item if known is None else _added(known, item)
    if any(item.quantity > MAX_LINE_QUANTITY for item in lines.values()):
        raise LineLimitError
    return list(lines.values())


def _added(first: Item, second: Item) -> Item:
    return replace(
        second,
        quantity=first.quantity + second.quantity,
        note=first.note if second.note is None else second.note,
        attributes=first.attributes if second.attributes is None else second.attributes,
    )


def new_line(offer: Offer, item: Item) -> LineRow:
    """A line as it is stored, with the name and the price of this moment."""
    line: LineRow = {
        "key": offer.key,
        "product_id": offer.product_id,
        "quantity": item.quantity,
        "name_at_add": offer.name,
        "price_at_add_minor": offer.price,
        "added_at": utc_now(),
    }
    if offer.sku is not None:
        line["sku"] = offer.sku
    return {**line, **item.words()}  # type: ignore[typeddict-item]  # the optional fields of a line


def with_quantity(line: LineRow, item: Item, quantity: int) -> LineRow:
    """The line with so many pieces and what was said of it this time, at the price it was added."""
    now: Mapping[str, Any] = {"quantity": quantity, **item.words()}
    return {**line, **now}  # type: ignore[typeddict-item]  # fields of a line


def united(winner: LineRow, other: LineRow, quantity: int) -> LineRow:
    """One line of two of the same key: the winner's, with the words that only the other has."""
    words = {name: other.get(name) for name in _WORDS if other.get(name) and not winner.get(name)}
    return {**winner, **words, "quantity": quantity}  # type: ignore[typeddict-item]  # of a line
