"""Products into files. Read back into the same store by `catalog.importing`, none differs."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from itertools import zip_longest
from typing import Any, Final

import orjson

from catalog.documents import FileFormat, ProductRow, VariantRow
from catalog.importing.shopify import COLUMNS, ONLY_VARIANT, escape, write_tags
from catalog.presenters import present_product
from ecommerce.core.json_output import to_json
from ecommerce.core.money import as_text

_BLOCK: Final = 64 * 1024
"""Characters that go out at once."""


def export(products: Iterable[ProductRow], format_name: str) -> Iterator[str]:
    """The file, in blocks of text; products are asked for as it goes on.

    Args:
        format_name: csv (Shopify's columns, as far as a product fills them) or jsonl (one JSON
            object a line, as the API shows it).
    """
    return _blocks(_WRITERS[FileFormat(format_name)](products))


def _blocks(texts: Iterable[str]) -> Iterator[str]:
    waiting, size = [], 0
    for text in texts:
        waiting.append(text)
        size += len(text)
        if size >= _BLOCK:
            yield "".join(waiting)
            waiting, size = [], 0
    yield "".join(waiting)


def _jsonl(products: Iterable[ProductRow]) -> Iterator[str]:
    return (to_json(present_product(row)).decode() + "\n" for row in products)


def _csv(products: Iterable[ProductRow]) -> Iterator[str]:
    written = StringIO(newline="")
    writer = csv.DictWriter(written, COLUMNS)
    writer.writeheader()
    for row in products:
        for line in _lines(row):
            writer.writerow({column: escape(cell) for column, cell in line.items()})
        yield _taken(written)
    yield _taken(written)


def _taken(written: StringIO) -> str:
    text = written.getvalue()
    written.seek(0)
    written.truncate()
    return text


_WRITERS: Final = {FileFormat.CSV: _csv, FileFormat.JSONL: _jsonl}
EXPORT_FORMATS: Final = tuple(map(str, _WRITERS))


def _lines(row: ProductRow) -> Iterator[Mapping[str, str]]:
    """The product with its first variant and picture, then a line for each further one."""
    handle = row.get("slug") or f"product-{row['_id']}"
    variants: list[Mapping[str, str]] = [
        {**_options(variant, row), **_sold_as(variant, row)} for variant in row.get("variants", ())
    ] or [_sold_as(row, row)]
    pictures = [
        {"Image Src": image["url"], "Image Alt Text": image.get("alt", "")}
        for image in row.get("images", ())
    ]
    first: Mapping[str, str] = _of_the_product(row)
    none: Mapping[str, str] = {}
    for sold, picture in zip_longest(variants, pictures, fillvalue=none):
        yield {"Handle": handle, **first, **sold, **picture}
        first = {}


def _of_the_product(row: ProductRow) -> dict[str, str]:
    own = {
        "Title": row["name"],
        "Body (HTML)": row["description"],
        "Vendor": row.get("brand", ""),
        "Type": row.get("category", ""),
        "Tags": write_tags(row.get("tags", [])),
        "Published": "false" if row["status"] == "draft" else "true",
        "Status": row["status"],
    }
    if not row.get("variants"):
        return own
    names = _names(row["variants"][0])
    return {
        **own,
        **{f"Option{number} Name": name for number, name in enumerate(names, 1)},
        "Product SKU": row.get("sku", ""),
        "Product Price": as_text(row["price_minor"], row["currency"]),
        "Product Compare At Price": _optional_price(row, row),
    }


def _names(variant: VariantRow) -> list[str]:
    return [option["name"] for option in variant["options"]]


def _options(variant: VariantRow, row: ProductRow) -> Mapping[str, str]:
    """In Shopify's columns where those can hold them: there, all variants have the same options."""
    values = [option["value"] for option in variant["options"]]
    fits = values and _names(variant) == _names(row["variants"][0])
    if fits and (len(row["variants"]) > 1 or ONLY_VARIANT not in values):
        return {f"Option{number} Value": value for number, value in enumerate(values, 1)}
    options = dict(zip(_names(variant), values, strict=True))
    return {"Variant Options": orjson.dumps(options).decode()}


def _sold_as(one: Any, row: ProductRow) -> Mapping[str, str]:
    """Sku, price and stock of a variant, or of a product without any."""
    return {
        "Variant SKU": one.get("sku", ""),
        "Variant Inventory Qty": str(one["quantity"]),
        "Variant Price": as_text(one.get("price_minor", row["price_minor"]), row["currency"]),
        "Variant Compare At Price": _optional_price(one, row),
    }


def _optional_price(one: Any, row: ProductRow) -> str:
    minor = one.get("compare_at_price_minor")
    return "" if minor is None else as_text(minor, row["currency"])
