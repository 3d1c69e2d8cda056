"""What carts do, in plain dicts: the shop and two carts, a user's and a guest's."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

MOST: Final = 999
Refusal = tuple[int, str]
"""Status and code of a problem."""
Line = dict[str, int]
"""`quantity`, and `seen`: the price in minor units when it was added or accepted."""
Lines = dict[int, Line]
"""By the product's number."""


class RefusedError(Exception):
    """The shop says no: nothing changes."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.outcome: Refusal = (status, code)


@dataclass
class Cart:
    """What one cart holds."""

    items: Lines = field(default_factory=dict)
    saved: Lines = field(default_factory=dict)
    version: int = 1


@dataclass
class Product:
    """What the catalog says."""

    price: int
    stock: int
    status: str = "active"


class Model:
    """The shop. A method that is refused raises, and leaves everything as it was."""

    def __init__(self, products: Sequence[Product]) -> None:
        self.products = list(products)
        self.carts = {"mine": Cart(), "guests": Cart()}

    def add(self, name: str, wanted: Sequence[tuple[int, int]]) -> bool:
        """Whether a line was started."""
        cart, sums = self.carts[name], summed(wanted)
        lines = deepcopy(cart.items)
        for number in sums:
            self._offered(number, deleted=(404, "product_not_found"))
        for number, quantity in sums.items():
            line = lines.setdefault(number, {"quantity": 0, "seen": self.products[number].price})
            self._check(number, line["quantity"] + quantity)
            line["quantity"] += quantity
        started = len(lines) > len(cart.items)
        self._write(cart, items=lines)
        return started

    def replace(self, name: str, wanted: Sequence[tuple[int, int]]) -> None:
        """Hold these and nothing else; what is held already was seen at its price, and stays so."""
        sums = summed(wanted)
        for number in sums:
            self._offered(number, deleted=(404, "product_not_found"))
        for number, quantity in sums.items():
            self._check(number, quantity)
        cart, lines = self.carts[name], {}
        for number, quantity in sums.items():
            line = cart.items.get(number, {"seen": self.products[number].price})
            lines[number] = {**line, "quantity": quantity}
        self._write(cart, items=lines)

    def set(self, name: str, number: int, quantity: int) -> None:
        """Have a line hold so many."""
        cart = self.carts[name]
        line = found(cart.items, number)
        self._offered(number)
        self._check(number, quantity)
        self._write(cart, items={**cart.items, number: {**line, "quantity": quantity}})

    def remove(self, name: str, number: int, place: str) -> None:
        """Take a line out."""
        lines = getattr(self.carts[name], place)
        found(lines, number)
        left = {n: line for n, line in lines.items() if n != number}
        self._write(self.carts[name], **{place: left})

    def clear(self, name: str) -> None:
        """Take every line out; what is saved stays."""
        self._write(self.carts[name], items={})

    def move(self, name: str, number: int, *, back: bool) -> None:
        """Save a line for later, or put it back into the cart."""
        cart = self.carts[name]
        here, there = ("saved", "items") if back else ("items", "saved")
        line = found(getattr(cart, here), number)
        held = getattr(cart, there).get(number, {"quantity": 0, "seen": line["seen"]})
        together = held["quantity"] + line["quantity"]
        if together > MOST:
            raise RefusedError(409, "quantity_limit")
        if back:
            self._offered(number)
            self._check(number, together)
        left = {n: one for n, one in getattr(cart, here).items() if n != number}
        lines = {**getattr(cart, there), number: {**held, "quantity": together}}
        self._write(cart, **{here: left, there: lines})

    def refresh(self, name: str) -> None:
        """Accept the prices of now; it is no write if there is nothing to accept."""
        cart, before = self.carts[name], deepcopy(self.carts[name])
        for lines in (cart.items, cart.saved):
            for number, line in lines.items():
                line["seen"] = self.products[number].price
        cart.version += cart != before

    def merge(self, mode: str) -> tuple[Cart, list[dict[str, Any]]]:
        """The user's cart with the guest's in it, and what did not fit. Nothing is written.

        Each product is settled by itself: what is saved, and what is in the cart or cannot be.
        """
        mine, guests = self.carts["mine"], self.carts["guests"]
        merged, of_saved, of_items = deepcopy(mine), [], []
        merged.version += 1
        for number, line in guests.saved.items():
            wanted = wanted_by(mode, guests.saved, mine.saved, number)
            winner = winner_of(mode, guests.saved, mine.saved, number)
            merged.saved[number] = {**winner, "quantity": min(wanted, MOST)}
            if (over := wanted - MOST) > 0:
                guest_has = line["quantity"]
                of_saved.append(
                    adjustment("quantity_limit", number, guest_has, 0, guest_has - over)
                )
        for number, line in guests.items.items():
            wanted = wanted_by(mode, guests.items, mine.items, number)
            got = min(wanted, max(self._room(number), quantity_of(mine.items, number)))
            place = MOST - quantity_of(merged.saved, number)
            saved = 0 if got else min(wanted, place)
            if got:
                winner = winner_of(mode, guests.items, mine.items, number)
                merged.items[number] = {**winner, "quantity": got}
            elif saved:
                there = merged.saved.get(number, {**line, "quantity": 0})
                merged.saved[number] = {**there, "quantity": there["quantity"] + saved}
            if got < wanted:
                of_items.append(adjustment(self._why_less(number), number, wanted, got, saved))
        return merged, of_saved + of_items

    def assert_nothing_is_lost(
        self, mode: str, merged: Mapping[str, Mapping[int, int]], adjusted: list[dict[str, Any]]
    ) -> None:
        """Every piece of both carts that the mode asks for is there, or reported as left out."""
        mine, guests = self.carts["mine"], self.carts["guests"]
        for number in range(len(self.products)):
            wanted = wanted_by(mode, guests.items, mine.items, number) + wanted_by(
                mode, guests.saved, mine.saved, number
            )
            there = merged["items"].get(number, 0) + merged["saved_items"].get(number, 0)
            told = [one for one in adjusted if one["number"] == number]
            left_out = sum(one["asked"] - one["got"] - one["saved"] for one in told)
            assert wanted == there + left_out
            of_guest = quantity_of(guests.items, number) + quantity_of(guests.saved, number)
            assert 0 <= sum(one["saved"] for one in told) <= of_guest

    def shown(self, lines: Lines) -> list[dict[str, Any]]:
        """The lines as the API shows them, amounts in minor units."""
        return [self._shown(number, line) for number, line in lines.items()]

    def totals(self, cart: Cart) -> tuple[int, int]:
        """Pieces, and what those cost that can be bought at all."""
        sold = {n: line for n, line in cart.items.items() if self.products[n].status == "active"}
        subtotal = sum(self.products[n].price * line["quantity"] for n, line in sold.items())
        return sum(line["quantity"] for line in cart.items.values()), subtotal

    def _shown(self, number: int, line: Line) -> dict[str, Any]:
        product, quantity, seen = self.products[number], line["quantity"], line["seen"]
        problems: list[tuple[str, int | None]] = []
        if product.status != "active":
            problems.append(("product_unavailable", 0))
        elif quantity > product.stock:
            problems.append(("insufficient_stock", product.stock))
        if seen != product.price:
            problems.append(("price_changed", None))
        return {
            "number": number, "quantity": quantity, "unit_price": product.price,
            "line_total": product.price * quantity, "price_at_add": seen, "problems": problems,
        }  # fmt: skip

    def _offered(self, number: int, deleted: Refusal = (409, "product_unavailable")) -> None:
        status = self.products[number].status
        if status == "deleted":
            raise RefusedError(*deleted)
        if status != "active":
            raise RefusedError(409, "product_unavailable")

    def _check(self, number: int, quantity: int) -> None:
        if quantity > MOST:
            raise RefusedError(409, "quantity_limit")
        if quantity > self.products[number].stock:
            raise RefusedError(409, "insufficient_stock")

    def _room(self, number: int) -> int:
        product = self.products[number]
        return min(product.stock, MOST) if product.status == "active" else 0

    def _why_less(self, number: int) -> str:
        if self.products[number].status != "active":
            return "product_unavailable"
        return "insufficient_stock" if self.products[number].stock < MOST else "quantity_limit"

    def _write(self, cart: Cart, **lines: Lines) -> None:
        for place, now in lines.items():
            setattr(cart, place, now)
        cart.version += 1


def summed(wanted: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Each product once."""
    sums: dict[int, int] = {}
    for number, quantity in wanted:
        sums[number] = sums.get(number, 0) + quantity
    if any(quantity > MOST for quantity in sums.values()):
        raise RefusedError(409, "quantity_limit")
    return sums


def found(lines: Mapping[int, Line], number: int) -> Line:
    """The line, if there is one."""
    if number not in lines:
        raise RefusedError(404, "item_not_in_cart")
    return lines[number]


def quantity_of(lines: Mapping[int, Line], number: int) -> int:
    """Pieces in the line of a product; 0 if there is none."""
    return lines[number]["quantity"] if number in lines else 0


def wanted_by(mode: str, guests: Lines, mine: Lines, number: int) -> int:
    """How many a merge would like the line of a product to hold in one place of the cart."""
    pair = quantity_of(guests, number), quantity_of(mine, number)
    if 0 in pair:
        return sum(pair)
    return {"sum": sum(pair), "max": max(pair), "keep-guest": pair[0], "keep-mine": pair[1]}[mode]


def winner_of(mode: str, guests: Lines, mine: Lines, number: int) -> Line:
    """The line whose price stays."""
    return guests[number] if mode == "keep-guest" or number not in mine else mine[number]


def adjustment(code: str, number: int, asked: int, got: int, saved: int) -> dict[str, Any]:
    """What the API says of a line that did not fit."""
    return {"code": code, "number": number, "asked": asked, "got": got, "saved": saved}
