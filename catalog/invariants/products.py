"""What must hold of products and their stock."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache, partial
from typing import Any, Final

from bson import ObjectId
from django.conf import settings

from catalog.documents import Category, Product, ProductStatus, StockMovement
from catalog.serializers import ProductInput
from catalog.serializers.products import MAX_VARIANTS
from catalog.services import StockService
from catalog.services.derived import SEARCHED, all_skus, search_fields
from catalog.services.products import MAX_ATTRIBUTES
from catalog.services.stock import MAX_FENCES, MAX_STOCK
from catalog.topics import PRODUCTS, product_topic
from ecommerce.core.invariants import Case, Checked, Reference, Row, Rule, Run, Update
from ecommerce.core.invariants.rules import Repair
from ecommerce.core.money import MAX_MINOR
from ecommerce.core.response_cache import changed

_SOON: Final = timedelta(minutes=1)
"""Movements are filed after this long, unless whoever moved the stock died."""
_PRICES: Final = ("price_minor", "compare_at_price_minor")
_OF_DELETED: Final = {"sku": "former_sku", "slug": "former_slug", "skus": "former_skus"}
"""What a deleted product gives free, and where that is kept."""
_WHERE: Final = ("category", "category_path", "tree_version")


def _is_deleted(row: Row) -> bool:
    return bool(row["status"] == ProductStatus.DELETED)


def _as_sold(row: Row) -> Row:
    """The row with the sku that it had before it was deleted."""
    return {**row, "sku": row.get("former_sku")} if _is_deleted(row) else row


def _search_fields(row: Row) -> dict[str, Any]:
    """What follows from the other fields, under the names that it is stored by."""
    fields = search_fields(_as_sold(row))
    if _is_deleted(row):
        fields["former_skus"] = fields.pop("skus")
    return fields


def _search(case: Case) -> str | None:
    wrong = [n for n, value in _search_fields(case.row).items() if case.row.get(n) != value]
    return f"{', '.join(wrong)}: not what the other fields say" if wrong else None


def _searched(case: Case) -> Repair:
    fields = _search_fields(case.row)
    gone = tuple(name for name, value in fields.items() if value is None)
    values = {name: value for name, value in fields.items() if value is not None}
    return Update("made anew of the other fields", values, gone=gone)


def _free(case: Case) -> str | None:
    kept = [name for name in _OF_DELETED if name in case.row] if _is_deleted(case.row) else []
    return f"{', '.join(kept)}: kept by a deleted product" if kept else None


def _freed(case: Case) -> Repair:
    kept = {old: new for old, new in _OF_DELETED.items() if old in case.row}
    values = {new: case.row[old] for old, new in kept.items()}
    return Update("given free", values, gone=tuple(kept))


def _sum(row: Row) -> int | None:
    """Of the variants' quantities; None for a product without variants."""
    variants = row.get("variants")
    return sum(variant["quantity"] for variant in variants) if variants else None


def _stock(case: Case) -> str | None:
    row = case.row
    if row["quantity"] > MAX_STOCK:
        return f"quantity: more than {MAX_STOCK}"
    if _sum(row) not in (None, row["quantity"]):
        return "quantity: not the sum of its variants"
    return None if row["in_stock"] == (row["quantity"] > 0) else "in_stock: not what quantity says"


def _counted(case: Case) -> Repair | None:
    """Variants are what is sold: the product follows them."""
    total = _sum(case.row)
    quantity = case.row["quantity"] if total is None else total
    if not 0 <= quantity <= MAX_STOCK:
        return None
    values = {"quantity": quantity, "in_stock": quantity > 0}
    return Update("counted anew", values)


def _money(case: Case) -> str | None:
    if case.row["currency"] != settings.CURRENCY:
        return "currency: not the shop's"
    priced = (case.row, *case.row.get("variants", ()))
    high = any(one.get(name, 0) > MAX_MINOR for one in priced for name in _PRICES)
    return "a price is higher than prices are" if high else None


def _skus(case: Case) -> str | None:
    skus = all_skus(_as_sold(case.row))
    return "variants: a sku stands there twice" if len(skus) != len(set(skus)) else None


@cache
def _limits() -> dict[str, int]:
    """The lengths that input may have, by the field that it is stored in."""
    fields = ProductInput().fields.items()
    known = {name: getattr(field, "max_length", None) for name, field in fields}
    limits = {name: most for name, most in known.items() if most}
    return {**limits, "variants": MAX_VARIANTS, "attributes": MAX_ATTRIBUTES}


def _lengths(case: Case) -> str | None:
    long = [n for n, most in _limits().items() if len(case.row.get(n) or ()) > most]
    if long:
        return f"{', '.join(long)}: longer than input may be"
    fences = len(case.row.get("stock_fences", ()))
    return "stock_fences: more than are kept" if fences > MAX_FENCES else None


CATEGORY: Final = Reference(
    Category,
    lambda row: [row["category"]] if "category" in row else [],
    by="slug",
    fields=("path", "tree_version"),
)
"""The category that a product stands in."""


def _place(case: Case) -> str | None:
    row = case.row
    if "category" not in row:
        left = [name for name in _WHERE if name in row]
        return f"{', '.join(left)}: of no category" if left else None
    category = case.one(CATEGORY, row["category"])
    if category is None:
        return "category: no such category"
    right = row.get("category_path") == category["path"]
    return None if right else "category_path: not where its category stands"


def _placed(case: Case) -> Repair:
    """A move of the category that comes meanwhile has a newer `tree_version`, and writes over it.

    A category that is gone, or is not the tree's, is taken off, as when somebody deletes it.
    """
    slug = case.row.get("category")
    category = case.one(CATEGORY, slug) if slug else None
    if category is None:
        return Update("taken out of the category", gone=_WHERE)
    place = {"category_path": category["path"], "tree_version": category["tree_version"]}
    return Update("put where its category stands", place)


def _filed(case: Case) -> str | None:
    waiting = case.row.get("unfiled_movements", ())
    old = any(movement["created_at"] < case.now - _SOON for movement in waiting)
    return "unfiled_movements: left behind by a process that died" if old else None


def _file(case: Case) -> Repair:
    product = case.row["_id"]
    return Run("movements filed", partial(StockService.file_waiting, product_id=product))


def _product_changed(product_id: ObjectId) -> None:
    changed(PRODUCTS, product_topic(product_id))


def _moves(case: Case) -> str | None:
    return None if 0 < abs(case.row["delta"]) <= MAX_STOCK else "delta: nothing, or too much"


def _product_rules() -> Iterator[Rule]:
    yield Rule(
        "search",
        "name_key, keys and skus follow from the other fields.",
        _search,
        reads=(*SEARCHED, "former_sku", "status"),
        repair=_searched,
    )
    yield Rule(
        "free",
        "Deleted products hold no sku and no slug.",
        _free,
        reads=("status", *_OF_DELETED),
        repair=_freed,
    )
    yield Rule(
        "stock",
        "quantity is the sum of the variants', and in_stock follows from it.",
        _stock,
        reads=("quantity", "variants"),
        repair=_counted,
    )
    yield Rule("money", "Prices are in range, and in the shop's currency.", _money)
    yield Rule("variants", "Each sku of a product stands there once.", _skus)
    yield Rule("lengths", "Texts and lists are as long as input may be.", _lengths)
    yield Rule(
        "category",
        "Products stand where their category stands.",
        _place,
        reads=_WHERE,
        refers=(CATEGORY,),
        repair=_placed,
    )
    yield Rule("movements", "Stock movements are filed.", _filed, repair=_file)


CHECKED: Final = (
    Checked(Product, tuple(_product_rules()), after_repair=_product_changed),
    Checked(StockMovement, (Rule("moves", "Movements move something.", _moves),)),
)
