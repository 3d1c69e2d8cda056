"""What a file gives, before it is checked, and what became of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from bson import ObjectId

from catalog.documents import ImportOutcome
from ecommerce.core.errors import FieldError

_MAX_NOT_KEPT: Final = 100
"""Names that a row lists."""
_MAX_NAME: Final = 200
"""Characters of such a name; the rest is left out."""


class UnreadableFileError(Exception):
    """The file cannot be read as products; the message says why."""


@dataclass(slots=True)
class ImportRow:
    """One product of a file: input for `ProductInput`, and what the product cannot hold."""

    number: int
    """From 1 on, in the order of the file."""
    line: int | None = None
    """Where it starts, in a format that has lines."""
    values: dict[str, Any] = field(default_factory=dict)
    covers: frozenset[str] = frozenset()
    """The members of a product that the file has a place for: an empty place is an empty value,
    and what it has no place for stays as it is. A variant's are those that its own values name."""
    product_id: str = ""
    """The id in this catalog, where the file is an export of ours and names no sku and no slug."""
    not_kept: list[str] = field(default_factory=list)
    """Names of what the file says and a product cannot hold."""
    warnings: list[str] = field(default_factory=list)
    faults: list[FieldError] = field(default_factory=list)
    """Why it cannot be read at all."""


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of a row, or in a dry run would have."""

    row: ImportRow
    outcome: ImportOutcome
    product_id: ObjectId | None = None
    faults: tuple[FieldError, ...] = ()

    @property
    def place(self) -> str:
        """Where the row stands, for people."""
        return f"line {self.row.line}" if self.row.line else f"item {self.row.number}"


@dataclass(slots=True)
class Tally:
    """How many rows came to what."""

    outcomes: Counter[str] = field(default_factory=Counter)
    not_kept: Counter[str] = field(default_factory=Counter)

    def note(self, outcome: str, not_kept: Iterable[str]) -> None:
        """Count one row."""
        self.outcomes[outcome] += 1
        self.not_kept.update(not_kept)

    @property
    def done(self) -> int:
        """Rows counted."""
        return self.outcomes.total()


def listed(names: Iterable[str]) -> list[str]:
    """What a row says of `not_kept`: whatever a file names, a result has room for it."""
    return [name[:_MAX_NAME] for name in islice(names, _MAX_NOT_KEPT)]


def given(values: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The values that the file gives at all."""
    return {name: value for name, value in values if value not in (None, "", [])}
