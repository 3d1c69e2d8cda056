"""Asks the rules of a collection, batch by batch, and repairs what they find if that is wished.

Memory holds one batch, what its rows refer to, and a few examples of each broken rule. The database
may be in use meanwhile: whatever looks wrong is read again a moment later, because a change under
way over two documents, or between two reads, is no fault.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from ecommerce.core.batches import batches
from ecommerce.core.invariants.common import elements
from ecommerce.core.invariants.registry import Checked
from ecommerce.core.invariants.rules import Case, Delete, Found, Reference, Repair, Row, Rule, Run
from ecommerce.core.mongo import collection, utc_now

MAX_EXAMPLES: Final = 20
"""Ids that are listed of a broken rule; the others are counted."""
_LOOKED_UP: Final = 1000
"""Values in one `$in`."""
_SECOND_LOOK: Final = 0.05
"""Seconds until what looks wrong is looked at again."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that does not hold of a row."""

    rule: Rule
    case: Case
    fault: str

    @property
    def row_id(self) -> Any:
        """Of the row."""
        return self.case.row["_id"]


@dataclass(slots=True)
class Tally:
    """How often a rule is broken, with the first rows of which it does not hold."""

    rule: str
    says: str
    broken: int = 0
    repaired: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Rows that are still as they were found."""
        return self.broken - self.repaired

    def add(self, finding: Finding, done: str | None) -> None:
        """Count a row; `done` says how it was repaired."""
        self.broken += 1
        self.repaired += done is not None
        if len(self.examples) < MAX_EXAMPLES:
            known = {"id": str(finding.row_id), "fault": finding.fault}
            self.examples.append({**known, "repair": done} if done else known)


@dataclass(slots=True)
class Verification:
    """One pass over a collection."""

    checked: Checked
    asked: frozenset[str]
    """Names of the rules to ask."""
    repairs: bool = False
    rows: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)

    def run(self, advance: Callable[[int], None] = lambda _: None) -> None:
        """Look at every row.

        Args:
            advance: told how many more rows were looked at.
        """
        for rows in batches(collection(self.checked.document), {}, size=self.checked.batch):
            suspects = {finding.row_id for finding in self._findings(rows)}
            if suspects:
                time.sleep(_SECOND_LOOK)
                self._settle(self._look([*suspects]))
            self.rows += len(rows)
            advance(len(rows))

    def count(self) -> int:
        """About how many rows there are."""
        return collection(self.checked.document).estimated_document_count()

    def _look(self, ids: Collection[Any]) -> list[Finding]:
        """What is wrong, as it is now, with the rows of these ids."""
        found: list[Finding] = []
        for some in _parts(ids, self.checked.batch):
            where = {"_id": {"$in": some}}
            rows = collection(self.checked.document).find(where).sort([("_id", 1)])
            found += self._findings(list(rows))
        return found

    def _findings(self, rows: Sequence[Row]) -> Iterator[Finding]:
        shape, asks_shape = self.checked.shape, self.checked.shape.name in self.asked
        rules = [rule for rule in self.checked.others if rule.name in self.asked]
        now, sound = utc_now(), list[Row]()
        for row in rows:
            case = Case(row, now, {})
            fault = shape.fault(case)
            if fault is None:
                sound.append(row)
            elif asks_shape:
                yield Finding(shape, case, fault)
        found = looked_up({one for rule in rules for one in rule.refers}, sound)
        for row in sound:
            case = Case(row, now, found)
            for rule in rules:
                fault = rule.fault(case)
                if fault is not None:
                    yield Finding(rule, case, fault)

    # --- repairing --------------------------------------------------------------------------

    def _settle(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            name = self.checked.full_name(finding.rule)
            tally = self.tallies.setdefault(name, Tally(name, finding.rule.says))
            tally.add(finding, self._repaired(finding) if self.repairs else None)

    def _repaired(self, finding: Finding) -> str | None:
        """How the row was repaired; None if it was not."""
        present = self._again(finding)  # the repair of another rule may have changed it
        if present is None:
            return "by another repair"
        repair = present.rule.repair(present.case) if present.rule.repair else None
        if repair is None or not self._done(present, repair) or self._again(finding) is not None:
            return None
        if self.checked.after_repair:
            self.checked.after_repair(finding.row_id)
        return repair.says

    def _again(self, finding: Finding) -> Finding | None:
        found = self._look([finding.row_id])
        return next((one for one in found if one.rule == finding.rule), None)

    def _done(self, finding: Finding, repair: Repair) -> bool:
        if isinstance(repair, Run):
            repair.step()
            return True
        rows, row = collection(self.checked.document), finding.case.row
        guard = {"_id": row["_id"], **{name: row.get(name) for name in finding.rule.reads}}
        if isinstance(repair, Delete):
            return bool(rows.delete_one(guard).deleted_count)
        change = self._change(repair.values, repair.gone)
        try:
            return bool(rows.update_one(guard, change).matched_count)
        except DuplicateKeyError:  # what would be right is another's
            return False

    def _change(self, values: Mapping[str, Any], gone: Iterable[str]) -> dict[str, Any]:
        fields = self.checked.document._fields
        change: dict[str, Any] = {"$set": dict(values)}
        if "updated_at" in fields:
            change["$set"]["updated_at"] = utc_now()
        if "version" in fields and "version" not in values:
            change["$inc"] = {"version": 1}
        if unset := dict.fromkeys(gone, ""):
            change["$unset"] = unset
        return {operator: fields for operator, fields in change.items() if fields}


def looked_up(references: Iterable[Reference], rows: Sequence[Row]) -> Found:
    """What these rows refer to: one read for each collection and field, however many rules ask."""
    found: dict[Reference, Mapping[Any, list[Row]]] = {}
    places = sorted(references, key=_place)
    for _, same in groupby(places, key=_place):
        together = list(same)
        named = _named(together, rows)
        found |= dict.fromkeys(together, named)
    return found


def _place(reference: Reference) -> tuple[str, str]:
    return reference.document._get_collection_name(), reference.by


def _named(references: Sequence[Reference], rows: Sequence[Row]) -> dict[Any, list[Row]]:
    """Documents by the value that names them."""
    document, by = references[0].document, references[0].by
    values = {value for row in rows for one in references for value in one.of(row)}
    fields = {name: 1 for one in references for name in (by, *one.fields)}
    named: dict[Any, list[Row]] = defaultdict(list)
    for some in _parts(values, _LOOKED_UP):
        for row in collection(document).find({by: {"$in": some}}, fields):
            for value in set(elements(row, by)).intersection(some):
                named[value].append(row)
    return dict(named)


def _parts(values: Collection[Any], size: int) -> Iterator[list[Any]]:
    all_of_them = list(values)
    return (all_of_them[start : start + size] for start in range(0, len(all_of_them), size))
