"""A row of a bulk request, what is to be done for it, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from bson import ObjectId

from ecommerce.core.errors import DomainError, FieldError


class Action(StrEnum):
    """What a row asks for."""

    CREATE = "create"
    UPDATE = "update"
    UPSERT = "upsert"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class BulkRow:
    """One row, its fields typed; or the faults that kept them from being so."""

    index: int
    action: Action | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `ProductInput`. For an upsert: all that a new product needs."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Those that were sent: what an existing product is changed by."""
    product_id: ObjectId | None = None
    sku: str | None = None
    """Names the product where `product_id` does not."""
    version: int | None = None
    """Write only if the product still has it."""
    faults: tuple[FieldError, ...] = ()

    @property
    def expected_versions(self) -> list[int] | None:
        """As services take it."""
        return None if self.version is None else [self.version]


@dataclass(frozen=True, slots=True)
class Step:
    """A row that was checked: the product it is about, and the one write it takes."""

    row: BulkRow
    product_id: ObjectId
    action: Action
    """Never an upsert: by now it is known which of the two it is."""

    @property
    def values(self) -> Mapping[str, Any]:
        """What is written."""
        return self.row.values if self.action is Action.CREATE else self.row.changes


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of a row. `status` is what a request of its own would have been answered."""

    index: int
    status: int
    code: str
    product_id: ObjectId | None = None
    version: int | None = None
    detail: str = ""
    faults: tuple[FieldError, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the row was refused."""
        return self.status >= 400


def malformed(row: BulkRow) -> RowResult:
    """The result of a row whose fields have faults."""
    detail = "The row is not valid: see `errors` for each field."
    return RowResult(row.index, 400, "validation_error", detail=detail, faults=row.faults)


def refused(row: BulkRow, error: DomainError) -> RowResult:
    """The result of a row that the rules of the shop refuse; its faults point into the request."""
    inside = error.members.get("errors") or [
        {"pointer": _pointer(row, error), "code": error.code, "detail": error.detail}
    ]
    faults = tuple(_moved(FieldError(**fault), row.index) for fault in inside)
    return RowResult(
        row.index, error.status, error.code, row.product_id, detail=error.detail, faults=faults
    )


def _moved(fault: FieldError, index: int) -> FieldError:
    return replace(fault, pointer=f"/rows/{index}{fault.pointer}")


def _pointer(row: BulkRow, error: DomainError) -> str:
    """The member of the row that an error without pointers of its own is about."""
    named_by = "/sku" if row.product_id is None else "/id"
    members = {
        "product_not_found": named_by,
        "repeated_product": named_by,
        "precondition_failed": "/version",
        "quantity_of_variants": "/quantity",
    }
    return members.get(error.code, "")
