"""Categories as they go out in JSON."""

from collections.abc import Mapping
from typing import Any

from catalog.documents import CategoryRow


def present_category(row: CategoryRow, by_slug: Mapping[str, CategoryRow]) -> dict[str, Any]:
    """A category; `by_slug` has those above it, for their names."""
    return {
        "id": str(row["_id"]),
        "slug": row["slug"],
        "name": row["name"],
        "parent": row.get("parent"),
        "path": [
            {"slug": slug, "name": by_slug[slug]["name"] if slug in by_slug else slug}
            for slug in row["path"]
        ],
        "position": row["position"],
        "version": row["version"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }
