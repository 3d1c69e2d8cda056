"""Categories of a file into the tree: what is new is added, what differs is changed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeVar

from rest_framework.exceptions import ValidationError

from catalog.documents import CategoryRow
from catalog.importing.category_files import CategoryEntry
from catalog.selectors import categories_by_slug
from catalog.serializers import CategoryInput
from catalog.services import CategoryService
from ecommerce.core.errors import DomainError
from ecommerce.core.problems import field_errors

_BATCH: Final = 500
"""Categories added by one change of the tree."""
_T = TypeVar("_T")
Progress = Callable[[int], None]
"""Told how many more are done."""


@dataclass(slots=True)
class CategoryReport:
    """What an import did, or in a dry run would have."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Categories in the file."""
        return self.created + self.updated + self.unchanged + len(self.faults)


def import_categories(
    entries: Sequence[CategoryEntry],
    *,
    dry_run: bool = False,
    progress: Progress = lambda _: None,
) -> CategoryReport:
    """Add, change or leave each category, known by its slug; one that is faulty, or stands below
    a faulty one, keeps no other out. What a file does not name stays as it is.
    """
    report = CategoryReport()
    checked = dict(_valid(entries, report))
    there = _stored(checked)
    placed = list(_from_the_top(checked, there, report))
    progress(len(entries) - len(placed))
    new = [entry for entry in placed if entry.values["slug"] not in there]
    for batch in _batches(new):
        _create(batch, report, dry_run=dry_run)
        progress(len(batch))
    for entry in placed:
        if (row := there.get(entry.values["slug"])) is not None:
            _change(entry, row, report, dry_run=dry_run)
            progress(1)
    return report


def _valid(
    entries: Iterable[CategoryEntry], report: CategoryReport
) -> Iterator[tuple[str, CategoryEntry]]:
    """Each with its values typed, by slug; what the file names twice counts once."""
    met = set[str]()
    for entry in entries:
        if entry.warning:
            report.warnings.append(f"{entry.place}: {entry.warning}")
        serializer = CategoryInput(data=entry.values)
        try:
            serializer.is_valid(raise_exception=True)
        except ValidationError as problem:
            faults = field_errors(problem.detail)
            text = "; ".join(f"{fault.pointer.lstrip('/')}: {fault.detail}" for fault in faults)
            report.faults.append(f"{entry.place}: {text}")
            continue
        slug = serializer.validated_data["slug"]
        if slug in met or slug is None:
            fault = "the file names it before" if slug else "it has no slug"
            report.faults.append(f"{entry.place}: slug: {fault}")
            continue
        met.add(slug)
        given = {name: serializer.validated_data[name] for name in entry.values}
        yield slug, CategoryEntry(entry.place, given)


def _stored(checked: Mapping[str, CategoryEntry]) -> dict[str, CategoryRow]:
    """What is there already of these and of those they stand below."""
    named = {entry.values.get("parent") or slug for slug, entry in checked.items()}
    there = dict[str, CategoryRow]()
    for slugs in _batches(sorted(named | checked.keys())):
        there |= categories_by_slug(slugs)
    return there


def _from_the_top(
    checked: Mapping[str, CategoryEntry], there: Mapping[str, CategoryRow], report: CategoryReport
) -> Iterator[CategoryEntry]:
    """Parents before what stands below them; without those that hang in the air."""
    below: dict[str | None, list[CategoryEntry]] = {}
    for entry in checked.values():
        parent = entry.values.get("parent")
        below.setdefault(parent if parent in checked else None, []).append(entry)
    waiting, placed = below.get(None, [])[::-1], set[str]()
    while waiting:
        entry = waiting.pop()
        parent = entry.values.get("parent")
        if parent and parent not in checked and parent not in there:
            report.faults.append(f"{entry.place}: parent: there is no category {parent}")
            continue
        placed.add(entry.values["slug"])
        yield entry
        waiting += below.get(entry.values["slug"], [])[::-1]
    report.faults += [
        f"{entry.place}: parent: {entry.values['parent']} did not come in, or stands below this one"
        for slug, entry in checked.items()
        if slug not in placed and entry.values.get("parent") in checked
    ]


def _create(batch: Sequence[CategoryEntry], report: CategoryReport, *, dry_run: bool) -> None:
    """All of them in one change of the tree; one by one if any is refused."""
    try:
        if not dry_run:
            CategoryService.create_many(values=[entry.values for entry in batch])  # type: ignore[misc]
    except DomainError as refusal:
        if len(batch) == 1:
            report.faults.append(f"{batch[0].place}: {refusal.detail}")
            return
        for entry in batch:
            _create([entry], report, dry_run=dry_run)
    else:
        report.created += len(batch)


def _change(
    entry: CategoryEntry, row: CategoryRow, report: CategoryReport, *, dry_run: bool
) -> None:
    changes = {n: v for n, v in entry.values.items() if n != "slug" and row.get(n) != v}
    if not changes:
        report.unchanged += 1
        return
    try:
        if not dry_run:
            CategoryService.update(reference=row["slug"], changes=changes)
    except DomainError as refusal:
        report.faults.append(f"{entry.place}: {refusal.detail}")
    else:
        report.updated += 1


def _batches(values: Iterable[_T]) -> Iterator[list[_T]]:
    rest = iter(values)
    while batch := list(islice(rest, _BATCH)):
        yield batch
