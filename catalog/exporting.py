"""Products into files that `catalog.importing` reads back without a difference."""

import csv
from collections.abc import Iterable, Mapping
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


def _lines(row: ProductRow) -> Iterable[Mapping[str, str]]:
    """The product, then a line for each further picture."""
    handle = row.get("slug") or f"product-{row['_id']}"
    images: list[Any] = list(row.get("images", [])) or [{"url": "", "alt": ""}]
    yield {
        "Handle": handle,
        "Title": row["name"],
        "Body (HTML)": row["description"],
        "Vendor": row.get("brand", ""),
        "Type": row.get("category", ""),
        "Tags": ", ".join(row.get("tags", [])),
        "Published": "false" if row["status"] == "draft" else "true",
        "Status": row["status"],
        "Variant SKU": row.get("sku", ""),
        "Variant Inventory Qty": str(row["quantity"]),
        "Variant Price": as_text(row["price_minor"], row["currency"]),
        "Image Src": images[0]["url"],
        "Image Alt Text": images[0].get("alt", ""),
    }
    for image in images[1:]:
        yield {"Handle": handle, "Image Src": image["url"], "Image Alt Text": image.get("alt", "")}
