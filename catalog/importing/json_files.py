"""JSON and JSON Lines: our own export, or DummyJSON's product list."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from catalog.importing.rows import ImportRow, given

_OWN: Final = (
    "name", "description", "price", "currency", "quantity", "sku", "slug", "brand", "category",
    "tags", "images", "status", "compare_at_price", "attributes", "variants", "related_ids",
)  # fmt: skip
_RENAMED: Final = {"title": "name", "stock": "quantity"}
_MADE_BY_US: Final = {"id", "version", "created_at", "updated_at"}


def read(text: str) -> Iterator[ImportRow]:
    """The products of the file, each with its number.

    Raises:
        ValueError: it is neither JSON nor JSON Lines, or holds no list of products.
    """
    for number, item in enumerate(_items(text), 1):
        if not isinstance(item, dict):
            raise ValueError(f"item {number} is no object")  # noqa: TRY004 - a fault of the file
        yield _product(number, item)


def _items(text: str) -> list[Any]:
    try:
        content = json.loads(text, parse_float=Decimal)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        return [json.loads(line, parse_float=Decimal) for line in lines]
    if isinstance(content, dict) and "products" in content:
        content = content["products"]
    if isinstance(content, dict):
        return [content]
    if not isinstance(content, list):
        raise ValueError("it holds no list of products")  # noqa: TRY004 - a fault of the file
    return content


def _product(number: int, item: dict[str, Any]) -> ImportRow:
    renamed = {_RENAMED.get(name, name): value for name, value in item.items()}
    if isinstance(renamed.get("images"), list):
        renamed["images"] = [
            {"url": image} if isinstance(image, str) else image for image in renamed["images"]
        ]
    return ImportRow(
        place=f"item {number}",
        product_id=str(item.get("id", "")),
        values=given((name, renamed.get(name)) for name in _OWN),
        covers=frozenset(renamed) & frozenset(_OWN),
        left_out=sorted(renamed.keys() - {*_OWN, *_MADE_BY_US}),
    )
