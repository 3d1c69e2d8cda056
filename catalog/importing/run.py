"""Brings rows into the catalog: checked by ProductInput, written by ProductService."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rest_framework.exceptions import ValidationError

from catalog.documents import ProductRow
from catalog.errors import DuplicateProductError, ProductNotFoundError
from catalog.importing.rows import ImportRow, Report
from catalog.keys import slug_of
from catalog.selectors import product, product_with
from catalog.serializers import ProductInput
from catalog.services import CategoryService, ProductService
from catalog.services.derived import all_skus
from ecommerce.core.problems import field_errors


def import_rows(
    rows: Iterable[ImportRow],
    *,
    dry_run: bool = False,
    progress: Callable[[], None] = lambda: None,
) -> Report:
    """Create, update or leave each product; a faulty row keeps no other from coming in.

    A row is the product with its sku; without a sku, the one with its slug; else with its id.
    """
    report = Report()
    for row in rows:
        report.note(row)
        try:
            _import(row, report, dry_run=dry_run)
        except ValidationError as problem:
            faults = field_errors(problem.detail)
            text = "; ".join(f"{fault.pointer.lstrip('/')}: {fault.detail}" for fault in faults)
            report.faults.append(f"{row.place}: {text}")
        except DuplicateProductError as clash:
            fields = ", ".join(fault["pointer"].lstrip("/") for fault in clash.members["errors"])
            report.faults.append(f"{row.place}: another product has the same {fields}.")
        progress()
    return report


def _import(row: ImportRow, report: Report, *, dry_run: bool) -> None:
    serializer = ProductInput(data=row.values)
    serializer.is_valid(raise_exception=True)
    values = serializer.validated_data
    if values["category"]:
        values["category"] = _category(values["category"], dry_run=dry_run)
    stored = _stored(row, values)
    if stored is None:
        report.created += 1
        if not dry_run:
            ProductService.create(values=values)
        return
    covered = {_stored_name(serializer, name) for name in row.covers | row.values.keys()}
    changes = {name: value for name, value in values.items() if name in covered}
    if _says_the_same(stored, changes):
        report.unchanged += 1
        return
    report.updated += 1
    if not dry_run:
        ProductService.update(product_id=str(stored["_id"]), changes=changes)


def _category(name: str, *, dry_run: bool) -> str:
    return slug_of(name) if dry_run else CategoryService.ensure(name=name)


def _stored_name(serializer: ProductInput, name: str) -> str:
    return str(serializer.fields[name].source)


def _stored(row: ImportRow, values: Mapping[str, Any]) -> ProductRow | None:
    skus = all_skus(values)
    if skus:
        found = product_with(sku=skus[0])
        return found or (product_with(slug=values["slug"]) if values.get("slug") else None)
    if values.get("slug"):
        return product_with(slug=values["slug"])
    try:
        return product(row.product_id, for_staff=True)
    except ProductNotFoundError:
        return None


def _says_the_same(stored: ProductRow, changes: Mapping[str, Any]) -> bool:
    price = changes.get("price_minor", stored["price_minor"])
    return all(
        _comparable(name, stored.get(name), price) == _comparable(name, value, price)
        for name, value in changes.items()
    )


def _comparable(name: str, value: Any, price: int) -> Any:
    """Empty is empty, and a variant without a price has the product's."""
    if name == "variants" and value:
        return [{"price_minor": price, **variant} for variant in value]
    return value if value not in ([], "") else None
