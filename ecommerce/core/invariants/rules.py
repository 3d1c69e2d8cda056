"""The words that rules are written in."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import mongoengine

Row = Mapping[str, Any]
"""A stored document, as MongoDB gives it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Other documents that a rule looks at: read for a whole batch at once, with `$in`."""

    document: type[mongoengine.Document]
    of: Callable[[Row], Iterable[Any]]
    """The values that a row names them by."""
    by: str = "_id"
    """The field of theirs that has those values."""
    fields: tuple[str, ...] = ()
    """What the rule wants to know of them."""


Found = Mapping[Reference, Mapping[Any, list[Row]]]
"""What references found, by the value."""


@dataclass(frozen=True, slots=True)
class Case:
    """A row, with all that its rules may look at."""

    row: Row
    now: datetime
    found: Found = field(repr=False)

    def all(self, reference: Reference, value: Any) -> list[Row]:
        """The documents that a value names."""
        return self.found[reference].get(value, [])

    def one(self, reference: Reference, value: Any) -> Row | None:
        """The document that a value names, if it is there."""
        return next(iter(self.all(reference, value)), None)


@dataclass(frozen=True, slots=True)
class Update:
    """A repair: one update of the row, if what the rule reads is still as it was judged."""

    says: str
    values: Mapping[str, Any] = field(default_factory=dict)
    """Fields to set."""
    gone: tuple[str, ...] = ()
    """Fields to take away."""


@dataclass(frozen=True, slots=True)
class Delete:
    """A repair: the row goes, if what the rule reads is still as it was judged."""

    says: str


@dataclass(frozen=True, slots=True)
class Run:
    """A repair that a service knows how to do, in steps that do nothing the second time."""

    says: str
    step: Callable[[], object]


Repair = Update | Delete | Run


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds of every row of a collection, each by itself.

    Rules are asked only of rows with the right shape: they need not expect a missing or mistyped
    field.
    """

    name: str
    says: str
    """What holds, in a sentence."""
    fault: Callable[[Case], str | None]
    """What is wrong with the row, without telling any of its values; None: the rule holds."""
    reads: tuple[str, ...] = ()
    """Fields that the verdict follows from: the guard of a repair pins them."""
    refers: tuple[Reference, ...] = ()
    repair: Callable[[Case], Repair | None] | None = None
    """What to do about it; None where only a person can say."""
