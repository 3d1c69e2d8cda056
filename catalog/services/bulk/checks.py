"""What is wrong with the rows of a bulk request, found out before anything is written.

Each row is checked against the shop as the rows before it leave it: a sku that one row gives free
is free for the next. A row that is refused changes nothing for those behind it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from bson import ObjectId

from catalog import selectors
from catalog.documents import ProductRow
from catalog.errors import (
    DuplicateProductError,
    ProductNotFoundError,
    QuantityOfVariantsError,
    RepeatedProductError,
    UnknownCategoryError,
)
from catalog.services.bulk.rows import Action, BulkRow, Step
from catalog.services.derived import all_skus, refuse_repeated_sku
from ecommerce.core.errors import PreconditionFailedError
from ecommerce.core.idempotency import Operation


class Checks:
    """The shop as far as these rows are about it: at most five reads, however many rows."""

    def __init__(self, rows: Sequence[BulkRow], operation: Operation) -> None:
        self._operation = operation
        found = _products_named_in(rows)
        self._by_id = {row["_id"]: row for row in found}
        self._skus = {sku: row["_id"] for row in found for sku in row.get("skus", ())}
        self._slugs = {row["slug"]: row["_id"] for row in found if "slug" in row}
        self._categories = selectors.known_categories(
            {row.changes["category"] for row in rows if row.changes.get("category")}
        )
        self._named = set[ObjectId]()

    def step(self, row: BulkRow) -> Step:
        """The one write that the row takes.

        Raises:
            DomainError: what `ProductService` would raise, or RepeatedProductError.
        """
        present = self._present(row)
        if present is None:
            step = Step(row, self._operation.part(row.index).id, Action.CREATE)
        else:
            self._check_present(present, row)
            deletes = row.action is Action.DELETE
            step = Step(row, present["_id"], Action.DELETE if deletes else Action.UPDATE)
        self._check_values(step, present)
        self._note(step, present)
        return step

    def _present(self, row: BulkRow) -> ProductRow | None:
        if row.action is Action.CREATE:
            return None
        found = self._by_id.get(row.product_id) if row.product_id else self._with_sku(row.sku)
        if found is None and row.action is not Action.UPSERT:
            raise ProductNotFoundError
        return found

    def _with_sku(self, sku: str | None) -> ProductRow | None:
        """The product whose own sku it is: the sku of a variant names no product."""
        owner = self._skus.get(sku or "")
        found = self._by_id[owner] if owner else None
        return found if found and found.get("sku") == sku else None

    def _check_present(self, present: ProductRow, row: BulkRow) -> None:
        if present["_id"] in self._named:
            raise RepeatedProductError
        if row.version not in (None, present["version"]):
            raise PreconditionFailedError
        alone = "quantity" in row.changes and "variants" not in row.changes
        if alone and _skus_of_variants(present):
            raise QuantityOfVariantsError

    def _check_values(self, step: Step, present: ProductRow | None) -> None:
        values, mine = step.values, step.product_id
        refuse_repeated_sku(_identity(step, present)["skus"], values)
        category = values.get("category")
        if category and category not in self._categories:
            raise UnknownCategoryError
        fields = [
            field for field, sku in _places_of_skus(values) if self._skus.get(sku, mine) != mine
        ]
        if self._slugs.get(values.get("slug") or "", mine) != mine:
            fields.append("slug")
        if fields:
            raise DuplicateProductError(fields)

    def _note(self, step: Step, present: ProductRow | None) -> None:
        """From here on the step counts as done."""
        self._named.add(step.product_id)
        if present is not None:
            _give_free(self._skus, present.get("skus", ()), step.product_id)
            _give_free(self._slugs, [present.get("slug", "")], step.product_id)
        if step.action is not Action.DELETE:
            row = _identity(step, present)
            self._by_id[step.product_id] = row
            self._skus |= dict.fromkeys(row["skus"], step.product_id)
            if row.get("slug"):
                self._slugs[row["slug"]] = step.product_id


def _give_free(owners: dict[str, ObjectId], values: Iterable[str], product_id: ObjectId) -> None:
    """Take away the product's own: another may have got one between two of the reads."""
    for value in values:
        if owners.get(value) == product_id:
            del owners[value]


def _products_named_in(rows: Sequence[BulkRow]) -> list[ProductRow]:
    skus = {row.sku for row in rows if row.sku}.union(*(all_skus(row.changes) for row in rows))
    return [
        *selectors.products_by_id({row.product_id for row in rows if row.product_id}),
        *selectors.products_by_sku(skus),
        *selectors.products_by_slug({slug for row in rows if (slug := row.changes.get("slug"))}),
    ]


def _places_of_skus(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Where each sku stands in the row, and the sku."""
    if values.get("sku"):
        yield "sku", values["sku"]
    for number, variant in enumerate(values.get("variants") or ()):
        yield f"variants/{number}/sku", variant["sku"]


def _skus_of_variants(present: ProductRow) -> list[str]:
    return [sku for sku in present.get("skus", ()) if sku != present.get("sku")]


def _identity(step: Step, present: ProductRow | None) -> ProductRow:
    """What tells the product from others once the step is done, as the selectors give it."""
    old: Mapping[str, Any] = present or {"version": 0}
    sku = step.values.get("sku", old.get("sku"))
    of_variants = _skus_of_variants(present) if present else []
    if "variants" in step.values:
        of_variants = all_skus({"variants": step.values["variants"]})
    row = {
        "_id": step.product_id,
        "sku": sku,
        "skus": [*([sku] if sku else []), *of_variants],
        "slug": step.values.get("slug", old.get("slug")),
        "version": old["version"] + 1,
    }
    return cast(ProductRow, row)
