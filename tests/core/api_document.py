"""The OpenAPI document, as its tests look at it."""

from typing import Any


def operations(document: Any) -> list[tuple[str, str, Any]]:
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def codes(operation: Any, status: str, media_type: str = "application/problem+json") -> set[str]:
    """The problems that an operation says it may answer with a status."""
    content = operation["responses"].get(status, {}).get("content", {})
    examples = content.get(media_type, {}).get("examples", {})
    return {example["value"]["code"] for example in examples.values()}
