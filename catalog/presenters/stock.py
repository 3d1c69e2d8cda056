"""Stock movements as they go out in JSON."""

from typing import Any

from catalog.documents import StockMovementRow


def present_movement(row: StockMovementRow) -> dict[str, Any]:
    """One movement."""
    return {
        "id": str(row["_id"]),
        "product_id": str(row["product_id"]),
        "sku": row.get("sku"),
        "delta": row["delta"],
        "reason": row["reason"],
        "by": str(row["by"]),
        "created_at": row["created_at"],
    }
