"""Products as they go out in JSON."""

from typing import Any

from catalog.documents import ProductRow
from ecommerce.core.money import to_major


def present_product(row: ProductRow) -> dict[str, Any]:
    """A product; its price is a number in major units."""
    return {
        "id": str(row["_id"]),
        "name": row["name"],
        "description": row["description"],
        "price": to_major(row["price_minor"], row["currency"]),
        "currency": row["currency"],
        "quantity": row["quantity"],
        "sku": row.get("sku"),
        "slug": row.get("slug"),
        "brand": row.get("brand"),
        "category": row.get("category"),
        "tags": row.get("tags", []),
        "images": row.get("images", []),
        "status": row["status"],
        "version": row["version"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }
