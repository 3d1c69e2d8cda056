"""Products into files that `catalog.importing` reads back without a difference."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, TextIO

import orjson

from catalog.documents import ProductRow
from catalog.importing.shopify import COLUMNS, escape
from catalog.presenters import present_product
from ecommerce.core.money import as_text


def write_jsonl(products: Iterable[ProductRow], file: TextIO) -> int:
    """One JSON object a line, as the API shows it; how many."""
    count = 0
    for row in products:
        file.write(orjson.dumps(present_product(row)).decode() + "\n")
        count += 1
    return count


def write_csv(products: Iterable[ProductRow], file: TextIO) -> int:
    """Shopify's columns, as far as a product fills them; how many."""
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    count = 0
    for row in products:
        for line in _lines(row):
            writer.writerow({column: escape(cell) for column, cell in line.items()})
        count += 1
    return count


def _lines(row: ProductRow) -> Iterator[Mapping[str, str]]:
    """The product with its first variant and picture, then a line for each further one."""
    handle = row.get("slug") or f"product-{row['_id']}"
    variants = [_sold_as(variant, row) for variant in row.get("variants", ())] or [
        _sold_as(row, row)
    ]
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
        "Tags": ", ".join(row.get("tags", [])),
        "Published": "false" if row["status"] == "draft" else "true",
        "Status": row["status"],
    }
    if not row.get("variants"):
        return own
    names = [option["name"] for option in row["variants"][0]["options"]]
    return {
        **own,
        **{f"Option{number} Name": name for number, name in enumerate(names, 1)},
        "Product SKU": row.get("sku", ""),
        "Product Price": as_text(row["price_minor"], row["currency"]),
        "Product Compare At Price": _optional_price(row, row),
    }


def _sold_as(one: Any, row: ProductRow) -> Mapping[str, str]:
    """Sku, price and stock of a variant, or of a product without any."""
    options = [option["value"] for option in one.get("options", ())]
    return {
        **{f"Option{number} Value": value for number, value in enumerate(options, 1)},
        "Variant SKU": one.get("sku", ""),
        "Variant Inventory Qty": str(one["quantity"]),
        "Variant Price": as_text(one.get("price_minor", row["price_minor"]), row["currency"]),
        "Variant Compare At Price": _optional_price(one, row),
    }


def _optional_price(one: Any, row: ProductRow) -> str:
    minor = one.get("compare_at_price_minor")
    return "" if minor is None else as_text(minor, row["currency"])
