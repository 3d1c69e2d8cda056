"""Shopify's product CSV: one row a variant or a picture; rows with one Handle are one product.

Columns: https://help.shopify.com/en/manual/products/import-export/using-csv
"""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

import nh3

from catalog.importing.rows import ImportRow, given

COLUMNS: Final = (
    "Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Published", "Status",
    "Variant SKU", "Variant Inventory Qty", "Variant Price", "Image Src", "Image Alt Text",
)  # fmt: skip
_MEANINGLESS: Final = {
    "Option1 Name", "Variant Inventory Tracker", "Variant Inventory Policy", "Image Position",
    "Variant Fulfillment Service", "Variant Requires Shipping", "Variant Taxable", "Gift Card",
    "Variant Weight Unit", "Google Shopping / Custom Product",
}  # fmt: skip
"""Settings of Shopify's own that say nothing about the product where they have their default."""
_DEFAULTS: Final = {"Option1 Value": "Default Title", "Variant Grams": "0"}
_OWN_HANDLE: Final = re.compile(r"product-([0-9a-f]{24})")
"""What our export writes for a product without a slug: the format wants a Handle in each row."""
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r")

Line = tuple[int, dict[str, str]]


def read(text: Iterable[str]) -> Iterator[ImportRow]:
    """The products of the file, each with the line that it starts at."""
    reader = csv.DictReader(text)
    lines = ((reader.line_num, {k: unescape(v) for k, v in row.items() if k}) for row in reader)
    for _, group in groupby(lines, key=lambda line: line[1].get("Handle", "")):
        yield _product(list(group))


def _product(lines: list[Line]) -> ImportRow:
    number, first = lines[0]
    own_id = _OWN_HANDLE.fullmatch(first.get("Handle", ""))
    row = ImportRow(place=f"line {number}", values={}, product_id=own_id[1] if own_id else "")
    row.values = given(
        [
            ("slug", None if own_id else first.get("Handle")),
            ("name", first.get("Title")),
            ("description", _safe_html(first.get("Body (HTML)", ""))),
            ("brand", first.get("Vendor")),
            ("category", first.get("Type")),
            ("tags", [tag.strip() for tag in first.get("Tags", "").split(",") if tag.strip()]),
            ("sku", first.get("Variant SKU")),
            ("quantity", _quantity(first.get("Variant Inventory Qty", ""), row)),
            ("price", first.get("Variant Price")),
            ("images", _images(lines)),
            ("status", first.get("Status") or _status(first.get("Published", ""))),
        ]
    )
    row.left_out = list(_left_out(lines))
    return row


def _safe_html(body: str) -> str:
    """Markup without anything a browser would run; text without markup stays as it is."""
    return (nh3.clean(body) if "<" in body else body).strip()


def _status(published: str) -> str:
    return "draft" if published.lower() == "false" else "active"


def _quantity(text: str, row: ImportRow) -> int | str:
    """Pieces; Shopify sells below zero, we do not."""
    if not text:
        return 0
    try:
        pieces = int(text)
    except ValueError:
        return text  # for ProductInput to refuse, with the line's number
    if pieces < 0:
        row.warnings.append(f"stock {pieces} was read as 0")
    return max(pieces, 0)


def _images(lines: list[Line]) -> list[dict[str, str]]:
    return [
        {"url": line["Image Src"], "alt": line.get("Image Alt Text", "")}
        for _, line in lines
        if line.get("Image Src")
    ]


def _left_out(lines: list[Line]) -> Iterator[str]:
    for column, value in lines[0][1].items():
        default = _DEFAULTS.get(column)
        if column not in COLUMNS and column not in _MEANINGLESS and value not in ("", default):
            yield column
    for _, line in lines[1:]:
        if line.get("Variant Price") or line.get("Option1 Value"):
            yield "further variant"


def escape(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula, made harmless (OWASP: CSV injection)."""
    return f"'{cell}" if cell.startswith((*_RISKY, "'")) else cell


def unescape(cell: str | None) -> str:
    """Undo `escape`."""
    text = cell or ""
    return text[1:] if text[:1] == "'" and text[1:2] in {*_RISKY, "'"} else text
