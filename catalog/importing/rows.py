"""What a file gives, before it is checked, and what became of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class ImportRow:
    """One product of a file: input for `ProductInput`, and what the product cannot hold."""

    place: str
    """Where it stands, for people: `line 7` or `item 3`."""
    values: dict[str, Any]
    covers: frozenset[str] = frozenset()
    """The members of a product that the file has a place for: an empty place is an empty value,
    and what it has no place for stays as it is."""
    product_id: str = ""
    """The id in this catalog, where the file is an export of ours and names no sku and no slug."""
    left_out: list[str] = field(default_factory=list)
    """Names of what the file says and a product cannot hold; one entry for each occurrence."""
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """What an import did."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Products in the file."""
        return self.created + self.updated + self.unchanged + len(self.faults)

    def note(self, row: ImportRow) -> None:
        """Keep what the row could not hand over."""
        self.left_out.update(row.left_out)
        self.warnings += [f"{row.place}: {warning}" for warning in row.warnings]


def given(values: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The values that the file gives at all."""
    return {name: value for name, value in values if value not in (None, "", [])}
