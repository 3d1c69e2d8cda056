"""Results of bulk requests as they go out."""

from collections.abc import Sequence
from typing import Any

from catalog.services.bulk import RowResult


def present_results(results: Sequence[RowResult]) -> dict[str, Any]:
    """How many rows succeeded and failed, and each of them."""
    failed = sum(result.failed for result in results)
    return {
        "succeeded": len(results) - failed,
        "failed": failed,
        "rows": [_present(result) for result in results],
    }


def _present(result: RowResult) -> dict[str, Any]:
    content: dict[str, Any] = {
        "index": result.index,
        "status": result.status,
        "code": result.code,
        "id": str(result.product_id) if result.product_id else None,
        "version": result.version,
    }
    if result.failed:
        content["detail"] = result.detail
        content["errors"] = [fault.as_dict() for fault in result.faults]
    return content
