"""Shopify's product CSV: one row a variant or a picture; rows with one Handle are one product.

Columns: https://help.shopify.com/en/manual/products/import-export/using-csv
"""

import csv
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import chain, groupby, islice
from typing import Any, Final

import orjson

from catalog.importing.rows import ImportRow, UnreadableFileError, given, listed
from catalog.keys import slug_of
from ecommerce.core.errors import FieldError

OPTIONS: Final = (1, 2, 3)
"""Shopify's files have room for three options."""
COLUMNS: Final = (
    "Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Published", "Status",
    *(f"Option{number} {part}" for number in OPTIONS for part in ("Name", "Value")),
    "Variant SKU", "Variant Inventory Qty", "Variant Price", "Variant Compare At Price",
    "Image Src", "Image Alt Text", "Product SKU", "Product Price", "Product Compare At Price",
    "Variant Options",
)  # fmt: skip
"""The last four are ours: what a product with variants has beside theirs, and the options of a
variant (a JSON object) that Shopify's columns cannot hold."""
_MEANINGLESS: Final = {
    "Variant Inventory Tracker", "Variant Inventory Policy", "Image Position",
    "Variant Fulfillment Service", "Variant Requires Shipping", "Variant Taxable", "Gift Card",
    "Variant Weight Unit", "Google Shopping / Custom Product",
}  # fmt: skip
"""Settings of Shopify's own that say nothing about the product where they have their default."""
_DEFAULTS: Final = {"Variant Grams": "0"}
_MEMBERS: Final = {
    "Handle": "slug", "Title": "name", "Body (HTML)": "description", "Vendor": "brand",
    "Type": "category", "Tags": "tags", "Published": "status", "Status": "status",
    "Variant SKU": "sku", "Variant Inventory Qty": "quantity", "Variant Price": "price",
    "Variant Compare At Price": "compare_at_price", "Image Src": "images",
    "Option1 Value": "variants",
}  # fmt: skip
"""Which member of a product a column fills."""
_PRICES_OF_VARIANTS: Final = {
    "Variant Price": "price", "Variant Compare At Price": "compare_at_price",
}  # fmt: skip
ONLY_VARIANT: Final = "Default Title"
"""What Shopify writes for a product without variants."""
_OWN_HANDLE: Final = re.compile(r"product-([0-9a-f]{24})")
"""What our export writes for a product without a slug: the format wants a Handle in each row."""
_WHOLE: Final = re.compile(r"[-+]?[0-9]{1,18}")
"""Pieces in a cell: "1_000" and other digits than ours are Python's."""
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r")

_MAX_LINES: Final = 500
"""Lines of one product: more than its variants and pictures can need."""
_MAX_COLUMNS: Final = 1000
"""Each line of a product has a cell in memory for each of them, whether it stands there or not."""

_BEYOND: Final = ""
"""Under this name a line holds what stands in it behind the last column; no column has it."""

Line = tuple[int, dict[str, str]]


def read(text: Iterable[str]) -> Iterator[ImportRow]:
    """The products of the file, each with the line that it starts at.

    Raises:
        ValueError: its columns are not those of products.
        UnreadableFileError: a line is no CSV.
    """
    # Lines that name no product have nothing in common: each is one of its own.
    groups = groupby(_lines(text), key=lambda line: line[1].get("Handle") or line[0])
    for number, (_, group) in enumerate(groups, 1):
        yield _product(number, list(islice(group, _MAX_LINES + 1)))


def _lines(text: Iterable[str]) -> Iterator[Line]:
    records = _records(text)
    _, named = next(records, (1, []))
    columns = [name or f"column {number}" for number, name in enumerate(named, 1)]
    if "Handle" not in columns or "Variant Price" not in columns:
        raise ValueError("its first line has no columns Handle and Variant Price")
    if len(columns) > _MAX_COLUMNS:
        raise ValueError(f"its first line has more than {_MAX_COLUMNS} columns")
    if twice := next((name for name in COLUMNS if columns.count(name) > 1), None):
        raise ValueError(f"its first line names the column {twice} twice")
    for start, cells in records:
        if cells:
            padded = [*cells, *[""] * (len(columns) - len(cells))]
            line = dict(zip(columns, map(unescape, padded), strict=False))
            beyond = next(filter(None, cells[len(columns) :]), None)
            yield start, line if beyond is None else {**line, _BEYOND: beyond}


def _records(text: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The cells of each record, which may span lines, with the line that it starts at."""
    # Strict: else a quotation mark that nothing closes takes in whatever follows, without a word.
    reader = csv.reader(text, strict=True)
    start = 1
    try:
        for cells in reader:
            yield start, cells
            start = reader.line_num + 1
    except csv.Error as fault:
        raise UnreadableFileError(
            f"Line {start} cannot be read: {fault}. Is a quotation mark not closed?"
        ) from None


def _product(number: int, lines: list[Line]) -> ImportRow:
    line, first = lines[0]
    own_id = _OWN_HANDLE.fullmatch(first.get("Handle", ""))
    row = ImportRow(number, line, product_id=own_id[1] if own_id else "")
    row.faults = list(_faults(lines))
    if row.faults:
        return row
    variants = _variants(lines, row)
    row.values = given(
        [
            ("slug", None if own_id else first.get("Handle")),
            ("name", first.get("Title")),
            ("description", first.get("Body (HTML)")),
            ("brand", first.get("Vendor")),
            ("category", first.get("Type")),
            ("tags", read_tags(first.get("Tags", ""))),
            ("images", _images(lines)),
            ("status", first.get("Status") or _status(first.get("Published"))),
            *_sold_as(first, variants, row),
        ]
    )
    row.covers = frozenset(_MEMBERS[column] for column in first if column in _MEMBERS)
    if variants:  # what a product with variants has beside theirs is known from our own files only
        own = {"Product SKU": "sku", "Product Price": "price"}
        own["Product Compare At Price"] = "compare_at_price"
        row.covers -= {member for column, member in own.items() if column not in first}
    row.not_kept = listed(_not_kept(lines))
    return row


def _faults(lines: list[Line]) -> Iterator[FieldError]:
    """Why the lines cannot be read as a product."""
    if len(lines) > _MAX_LINES:
        yield FieldError("", "too_many_lines", f"A product has at most {_MAX_LINES} lines.")
    for number, line in lines:
        if _BEYOND in line:
            detail = (
                f"Line {number} has more cells than the first line has columns: put quotation "
                "marks around a cell that holds a comma."
            )
            yield FieldError("", "too_many_cells", detail)


def _sold_as(
    first: dict[str, str], variants: list[dict[str, Any]], row: ImportRow
) -> list[tuple[str, Any]]:
    """Sku, price and stock: of the product, or of its variants."""
    if not variants:
        return [
            ("sku", first.get("Variant SKU")),
            ("price", first.get("Variant Price")),
            ("compare_at_price", first.get("Variant Compare At Price")),
            ("quantity", _quantity(first.get("Variant Inventory Qty"), row)),
        ]
    return [
        ("variants", variants),
        ("sku", first.get("Product SKU")),
        ("price", first.get("Product Price") or first.get("Variant Price")),
        ("compare_at_price", first.get("Product Compare At Price")),
    ]


def _variants(lines: list[Line], row: ImportRow) -> list[dict[str, Any]]:
    """One for each line with an option; none where the only one is no choice."""
    names = {n: lines[0][1].get(f"Option{n} Name", "") or f"Option{n}" for n in OPTIONS}
    used = [names[n] for n in OPTIONS if any(line.get(f"Option{n} Value") for _, line in lines)]
    if twice := next((name for name in used if used.count(name) > 1), None):
        detail = f"Two options have the name {twice}: give each one of its own."
        row.faults.append(FieldError("/variants", "repeated_option", detail))
    chosen = [(line, _options(line, names, row)) for _, line in lines]
    variants = [(line, options) for line, options in chosen if options is not None]
    if len(variants) < 2 and all(map(_is_no_choice, variants)):
        return []
    return [_variant(line, options, lines[0][1], row) for line, options in variants]


def _is_no_choice(variant: tuple[dict[str, str], dict[str, Any]]) -> bool:
    line, options = variant
    return ONLY_VARIANT in options.values() and not line.get("Variant Options")


def _options(line: dict[str, str], names: dict[int, str], row: ImportRow) -> dict[str, Any] | None:
    """What makes the variant of a line differ; None where the line is no variant."""
    if written := line.get("Variant Options"):
        return _own_options(written, row)
    values = {names[n]: line[f"Option{n} Value"] for n in OPTIONS if line.get(f"Option{n} Value")}
    return values or None


def _own_options(written: str, row: ImportRow) -> dict[str, Any]:
    try:
        options = orjson.loads(written)
    except orjson.JSONDecodeError:
        options = None
    if not isinstance(options, dict):
        detail = "Variant Options holds a JSON object, or nothing."
        row.faults.append(FieldError("/variants", "invalid", detail))
        return {}
    return options


def _variant(
    line: dict[str, str], options: dict[str, Any], first: dict[str, str], row: ImportRow
) -> dict[str, Any]:
    sku = line.get("Variant SKU")
    if not sku:
        sku = "-".join([first.get("Handle", ""), *map(slug_of, map(str, options.values()))])
        row.warnings.append(f"a variant without SKU gets {sku}")
    values: dict[str, Any] = {"sku": sku, "options": options}
    for column, member in _PRICES_OF_VARIANTS.items():
        if column in line:
            values[member] = line[column] or None
    if "Variant Inventory Qty" in line:
        values["quantity"] = _quantity(line["Variant Inventory Qty"], row)
    return values


def read_tags(cell: str) -> list[str]:
    """Tags between commas; one that holds a comma itself stands in quotes."""
    tags = chain.from_iterable(csv.reader(StringIO(cell, newline=""), skipinitialspace=True))
    return [tag.strip() for tag in tags if tag.strip()]


def write_tags(tags: Iterable[str]) -> str:
    """Undo `read_tags`."""
    cell = StringIO(newline="")
    csv.writer(cell).writerow(tags)  # it quotes what holds a part of its own line end
    return cell.getvalue().removesuffix("\r\n")


def _status(published: str | None) -> str | None:
    """None where the file has no such column."""
    if published is None:
        return None
    return "draft" if published.lower() == "false" else "active"


def _quantity(text: str | None, row: ImportRow) -> int | str | None:
    """Pieces, None where the file has no such column; Shopify sells below zero, we do not."""
    if not text:
        return None if text is None else 0
    if not _WHOLE.fullmatch(text.strip()):
        return text  # for ProductInput to refuse, with the line's number
    pieces = int(text)
    if pieces < 0:
        row.warnings.append(f"stock {pieces} was read as 0")
    return max(pieces, 0)


def _images(lines: list[Line]) -> list[dict[str, str]]:
    return [
        {"url": line["Image Src"], "alt": line.get("Image Alt Text", "")}
        for _, line in lines
        if line.get("Image Src")
    ]


def _not_kept(lines: list[Line]) -> Iterable[str]:
    """In the order of the columns, each once."""
    return (
        column
        for column in lines[0][1]
        if column not in COLUMNS
        and column not in _MEANINGLESS
        and any(line[column] not in ("", _DEFAULTS.get(column)) for _, line in lines)
    )


def escape(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula, made harmless (OWASP: CSV injection)."""
    return f"'{cell}" if cell.startswith((*_RISKY, "'")) else cell


def unescape(cell: str) -> str:
    """Undo `escape`."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in {*_RISKY, "'"} else cell
