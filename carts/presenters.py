"""Carts as they go out in JSON."""

from typing import Any

from carts.pricing import PricedCart, PricedLine
from ecommerce.core.conditional import etag
from ecommerce.core.money import to_major


def present_cart(cart: PricedCart) -> dict[str, Any]:
    """A cart with its lines and totals; amounts are numbers in major units."""
    return {
        "id": str(cart.row["_id"]),
        "user_id": str(cart.row["user_id"]),
        "items": [_present_line(line, cart.currency) for line in cart.lines],
        "total_quantity": cart.total_quantity,
        "subtotal": to_major(cart.subtotal, cart.currency),
        "currency": cart.currency,
        "version": cart.row["version"],
        "created_at": cart.row["created_at"],
        "updated_at": cart.row["updated_at"],
    }


def cart_etag(cart: PricedCart) -> str:
    """The version, and a digest of what the products contribute to the answer."""
    return etag(cart.row["version"], cart.digest)


def _present_line(line: PricedLine, currency: str) -> dict[str, Any]:
    problem = line.problem and {
        "code": line.problem.code,
        "detail": line.problem.detail,
        "available_quantity": line.problem.available_quantity,
    }
    return {
        "product_id": str(line.product_id),
        "quantity": line.quantity,
        "name": line.name,
        "unit_price": to_major(line.unit_price, currency),
        "line_total": to_major(line.total, currency),
        "price_at_add": to_major(line.price_at_add, currency),
        "price_changed": line.price_changed,
        "available": line.available,
        "problem": problem,
    }
