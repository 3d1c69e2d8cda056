"""Imports as they go out in JSON."""

from typing import Any

from catalog.documents import ImportJobRow, ImportResultRow


def present_import(row: ImportJobRow) -> dict[str, Any]:
    """A job with its progress."""
    return {
        "id": str(row["_id"]),
        "state": row["state"],
        "format": row["format"],
        "size": row["size"],
        "dry_run": row["dry_run"],
        "total": row.get("total"),
        "done": row["done"],
        "created": row["created"],
        "updated": row["updated"],
        "unchanged": row["unchanged"],
        "failed": row["failed"],
        "not_kept": row["not_kept"],
        "fault": row.get("fault"),
        "by": str(row["by"]),
        "version": row["version"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "started_at": row.get("started_at"),
        "finished_at": row.get("finished_at"),
    }


def present_import_result(row: ImportResultRow) -> dict[str, Any]:
    """What became of one row."""
    product = row.get("product_id")
    return {
        "id": str(row["_id"]),
        "number": row["number"],
        "line": row.get("line"),
        "outcome": row["outcome"],
        "product_id": str(product) if product else None,
        "errors": row["errors"],
        "warnings": row["warnings"],
        "not_kept": row["not_kept"],
    }
