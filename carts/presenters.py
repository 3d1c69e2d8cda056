"""Carts as they go out in JSON."""

from collections.abc import Callable
from typing import Any

from carts.documents import AdjustmentRow, CartRow, LineRow
from carts.pricing import Fault, LineProblem, PricedCart, PricedLine
from carts.services import Merged
from ecommerce.core.conditional import etag
from ecommerce.core.money import as_text, major_units, to_major

_Major = Callable[[int], int | float]
"""Major units of an amount in the currency of the cart."""


def present_cart(cart: PricedCart) -> dict[str, Any]:
    """A cart with its lines and totals; amounts are numbers in major units."""
    row, currency = cart.row, cart.currency
    major = major_units(currency)
    return {
        "id": str(row["_id"]),
        "user_id": str(row["user_id"]) if "user_id" in row else None,
        "status": _status(row),
        "items": [_present_line(line, currency, major) for line in cart.lines],
        "saved_items": [_present_line(line, currency, major) for line in cart.saved_lines],
        "total_quantity": cart.total_quantity,
        "subtotal": major(cart.subtotal),
        "currency": currency,
        "version": row["version"],
        "expires_at": row["expires_at"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def present_merged(merged: Merged, *, dry_run: bool) -> dict[str, Any]:
    """The target of a merge, and what could not be taken over as it was."""
    return {
        "cart": present_cart(merged.cart),
        "adjustments": [_present_adjustment(one) for one in merged.adjustments],
        "dry_run": dry_run,
    }


def _present_adjustment(row: AdjustmentRow) -> dict[str, Any]:
    return {**row, "product_id": str(row["product_id"]), "sku": row.get("sku")}


def _status(row: CartRow) -> str:
    if "merged_into" in row:
        return "merged"
    return "merging" if "merge" in row else "open"


def cart_etag(cart: PricedCart) -> str:
    """The version, and a digest of what the products contribute to the answer."""
    return etag(cart.row["version"], cart.digest)


def _present_line(line: PricedLine, currency: str, major: _Major) -> dict[str, Any]:
    row, price = line.row, line.unit_price
    problems = [_present_problem(one, currency) for one in line.problems] if line.problems else []
    return {
        "product_id": str(row["product_id"]),
        "sku": row.get("sku"),
        "options": line.options,
        "quantity": row["quantity"],
        "note": row.get("note", ""),
        "attributes": _present_attributes(row),
        "name": line.name,
        "unit_price": major(price),
        "line_total": major(line.total),
        "price_at_add": major(row["price_at_add_minor"]),
        "price_changed": line.price_changed,
        "available": line.available,
        "problem": problems[0] if problems else None,
        "problems": problems,
    }


def _present_attributes(row: LineRow) -> dict[str, str]:
    pairs = row.get("attributes")
    return {one["name"]: one["value"] for one in pairs} if pairs else {}


def _present_problem(problem: LineProblem, currency: str) -> dict[str, Any]:
    if problem.code is Fault.PRODUCT_UNAVAILABLE:
        detail = "This product is not for sale any more."
        return {"code": problem.code, "detail": detail, "available_quantity": 0}
    if problem.code is Fault.INSUFFICIENT_STOCK:
        left = problem.available_quantity
        detail = f"Only {left} of this product are left."
        return {"code": problem.code, "detail": detail, "available_quantity": left}
    old, new = problem.old_price or 0, problem.new_price or 0
    return {
        "code": problem.code,
        "detail": f"The price was {as_text(old, currency)} and is {as_text(new, currency)} now: "
        "POST refresh-prices accepts it.",
        "old_price": to_major(old, currency),
        "new_price": to_major(new, currency),
    }
