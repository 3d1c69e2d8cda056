"""Brings rows into the catalog: checked by ProductInput, written by ProductService."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rest_framework.exceptions import ValidationError

from catalog.documents import ProductRow
from catalog.errors import DuplicateProductError, ProductNotFoundError
from catalog.importing.rows import ImportRow, Report
from catalog.selectors import product, product_with
from catalog.serializers import ProductInput
from catalog.services import ProductService
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
    stored = _stored(row, values)
    if stored is None:
        report.created += 1
        if not dry_run:
            ProductService.create(values=values)
    elif _says_the_same(stored, values):
        report.unchanged += 1
    else:
        report.updated += 1
        if not dry_run:
            ProductService.update(product_id=str(stored["_id"]), changes=values)


def _stored(row: ImportRow, values: Mapping[str, Any]) -> ProductRow | None:
    for key in ("sku", "slug"):
        if values.get(key):
            return product_with(**{key: values[key]})
    try:
        return product(row.product_id, for_staff=True)
    except ProductNotFoundError:
        return None


def _says_the_same(stored: ProductRow, values: Mapping[str, Any]) -> bool:
    return all(stored.get(name) == value for name, value in values.items())
