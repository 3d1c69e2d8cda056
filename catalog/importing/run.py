"""Brings a row into the catalog: checked by ProductInput, written by ProductService."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from bson import ObjectId
from rest_framework.exceptions import APIException, ValidationError

from catalog import selectors
from catalog.documents import ImportOutcome, ProductRow
from catalog.errors import BusyError, DuplicateProductError, ProductNotFoundError
from catalog.importing.rows import ImportRow, RowResult
from catalog.importing.variants import completed
from catalog.serializers import ProductInput
from catalog.services import CategoryService, ProductService
from catalog.services.derived import all_skus
from ecommerce.core.errors import MAX_FAULTS, DomainError, FieldError, PreconditionFailedError
from ecommerce.core.idempotency import Operation
from ecommerce.core.problems import field_errors

_ATTEMPTS: Final = 50
"""How often a row starts anew when its product was changed, made by another import, or deleted
between its read and its write."""


class RowImporter:
    """Creates, updates or leaves the product of each row; a fault keeps no other row out.

    A row is the product with its sku (a row that has only its variants', the one whose variant has
    the first of them), else with its slug; without any of these, with its id. One whose sku belongs
    to another product's variant, or the other way round, is refused like any other duplicate.
    """

    def __init__(self, *, dry_run: bool = False) -> None:
        self._dry_run = dry_run
        # One for all rows: to build a serializer takes as long as to check and compare a row.
        self._input = ProductInput(data={})

    def bring_in(self, row: ImportRow, operation: Operation | None = None) -> RowResult:
        """What becomes of a row.

        Args:
            operation: of this row. Its id is the product's if it is a new one, so that the same row
                a second time changes nothing, and is still the one that created it.
        """
        if row.faults:
            return RowResult(row, ImportOutcome.FAILED, faults=tuple(row.faults))
        try:
            return self._bring_in(row, operation or Operation.unkeyed())
        except (APIException, DomainError) as refusal:
            faults = tuple(islice(_faults(refusal), MAX_FAULTS))
            return RowResult(row, ImportOutcome.FAILED, faults=faults)

    def _bring_in(self, row: ImportRow, operation: Operation) -> RowResult:
        values = self._checked(row)
        for _ in range(_ATTEMPTS):
            stored = _stored(row, values)
            try:
                return self._written(row, values, stored, operation)
            except PreconditionFailedError:
                continue
            except (DuplicateProductError, ProductNotFoundError):
                if _id_of(_stored(row, values)) == _id_of(stored):
                    raise
        raise BusyError

    def _written(
        self,
        row: ImportRow,
        checked: Mapping[str, Any],
        stored: ProductRow | None,
        operation: Operation,
    ) -> RowResult:
        values = dict(checked)
        if stored is not None and stored["_id"] == operation.id:  # by this row, before a kill
            return RowResult(row, ImportOutcome.CREATED, operation.id)
        if values["category"]:
            named = values["category"]
            values["category"] = CategoryService.ensure(name=named, dry_run=self._dry_run)
        if values["variants"]:
            values["variants"] = completed(row, values, stored)
            values = self._input.validate(values)  # sums them up anew
        if stored is None:
            return self._create(row, values, operation)
        return self._update(row, stored, self._covered(row, values))

    def _covered(self, row: ImportRow, values: Mapping[str, Any]) -> dict[str, Any]:
        """What the file has a place for; the quantity of variants comes with them."""
        fields = self._input.fields
        covered = {str(fields[name].source) for name in row.covers | row.values.keys()}
        if values["variants"]:
            covered.add("quantity")
        return {name: value for name, value in values.items() if name in covered}

    def _checked(self, row: ImportRow) -> dict[str, Any]:
        self._input.initial_data = row.values
        values: dict[str, Any] = self._input.run_validation(row.values)
        return values

    def _create(self, row: ImportRow, values: Mapping[str, Any], operation: Operation) -> RowResult:
        if self._dry_run:
            ProductService.refuse_duplicates(values=values, product_id=operation.id)
            return RowResult(row, ImportOutcome.CREATED)
        ProductService.create(values=values, operation=operation)
        return RowResult(row, ImportOutcome.CREATED, operation.id)

    def _update(self, row: ImportRow, stored: ProductRow, changes: Mapping[str, Any]) -> RowResult:
        found = stored["_id"]
        if _says_the_same(stored, changes):
            return RowResult(row, ImportOutcome.UNCHANGED, found)
        if self._dry_run:
            ProductService.refuse_duplicates(values=changes, product_id=found, present=stored)
        else:
            # What is kept of the stored variants must still be so.
            versions = [stored["version"]] if changes.get("variants") else None
            ProductService.update(
                product_id=str(found), changes=changes, expected_versions=versions
            )
        return RowResult(row, ImportOutcome.UPDATED, found)


def _faults(refusal: APIException | DomainError) -> Iterator[FieldError]:
    if isinstance(refusal, ValidationError):
        yield from field_errors(refusal.detail)
    elif isinstance(refusal, APIException):
        yield FieldError("", str(refusal.get_codes()), str(refusal.detail))
    elif errors := refusal.members.get("errors"):
        yield from (FieldError(**error) for error in errors)
    else:
        yield FieldError("", refusal.code, refusal.detail)


def _stored(row: ImportRow, values: Mapping[str, Any]) -> ProductRow | None:
    skus, slug = all_skus(values), values.get("slug")
    found = _with_sku(skus[0], own=bool(values.get("sku"))) if skus else None
    if found is None and slug:
        found = selectors.product_with(slug=slug)
    if skus or slug:
        return found
    try:
        return selectors.product(row.product_id, for_staff=True)
    except ProductNotFoundError:
        return None


def _id_of(product: ProductRow | None) -> ObjectId | None:
    return product["_id"] if product else None


def _with_sku(sku: str, *, own: bool) -> ProductRow | None:
    """The product whose own sku it is, or else one of whose variants has it."""
    found = selectors.product_with(sku=sku)
    return found if found and (found.get("sku") == sku) is own else None


def _says_the_same(stored: ProductRow, changes: Mapping[str, Any]) -> bool:
    return all(_compared(stored.get(name)) == _compared(value) for name, value in changes.items())


def _compared(value: Any) -> Any:
    """Empty is empty; and true and 1, which Python takes for equal, are two values."""
    if isinstance(value, dict):
        return {name: _compared(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_compared(one) for one in value] or None
    if isinstance(value, int | float):
        return value, isinstance(value, bool)
    return value or None
