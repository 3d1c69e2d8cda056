"""Rules that follow from what documents declare: every stored class has them without a word."""

from collections.abc import Hashable, Iterator
from typing import Any, Final

import mongoengine

from ecommerce.core.indexes import Index, declared
from ecommerce.core.invariants.rules import Case, Reference, Repair, Row, Rule, Update
from ecommerce.core.invariants.shape import Check, typed, within_limits

_VERSION: Final = frozenset({"version"})
"""It has a rule of its own, which can mend it."""


def shape_rule(document: type[mongoengine.Document], may_lack: frozenset[str]) -> Rule:
    """Every field has its type, and none is missing or unknown."""
    check = typed(document, may_lack=may_lack, apart=_VERSION)
    return Rule(
        "shape",
        "Rows have the fields that their document declares, with their types.",
        lambda case: check(case.row),
    )


def common_rules(document: type[mongoengine.Document]) -> Iterator[Rule]:
    """Limits, versions and unique keys."""
    if (check := within_limits(document)) is not None:
        yield _limits_rule(check)
    if "version" in document._fields:
        yield _version_rule(document)
    for index in declared(document):
        if index.options.get("unique"):
            yield _unique_rule(document, index)


def _limits_rule(check: Check) -> Rule:
    return Rule(
        "limits", "Values are within the limits of their fields.", lambda case: check(case.row)
    )


def _version_rule(document: Any) -> Rule:
    first = document._fields["version"].default

    def fault(case: Case) -> str | None:
        version = case.row.get("version")
        right = type(version) is not bool and isinstance(version, int) and version >= first
        return None if right else f"not a whole number from {first} on"

    def repair(case: Case) -> Repair:  # noqa: ARG001
        return Update(f"version set to {first}", {"version": first})

    return Rule(
        "version", "Versions are positive integers.", fault, reads=("version",), repair=repair
    )


def _unique_rule(document: type[mongoengine.Document], index: Index) -> Rule:
    first, *others = (name for name, _ in index.keys)
    same = Reference(document, lambda row: elements(row, first), by=first, fields=(first, *others))

    def fault(case: Case) -> str | None:
        for value in elements(case.row, first):
            for twin in case.all(same, value):
                if twin["_id"] != case.row["_id"] and _agree(twin, case.row, others):
                    return f"{first}: also in {twin['_id']}"
        return None

    return Rule(
        index.name, f"No two have the same {', '.join((first, *others))}.", fault, refers=(same,)
    )


def _agree(one: Row, other: Row, fields: list[str]) -> bool:
    return all(one.get(name) == other.get(name) for name in fields)


def elements(row: Row, name: str) -> list[Any]:
    """What an index of the field would hold of the row: each element of an array."""
    value = row.get(name)
    values = value if isinstance(value, list) else [value]
    return [one for one in values if one is not None and isinstance(one, Hashable)]
