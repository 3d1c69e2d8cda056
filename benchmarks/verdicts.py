"""What the figures say about the goals, and where they are not in our favour."""

from collections.abc import Iterator, Sequence

from benchmarks.goals import Goal, Verdict, with_range
from benchmarks.kinds import PEERS
from benchmarks.reasons import REASONS
from benchmarks.rounds import Row
from benchmarks.workloads import FIRST_PAGE, PAGE_500

_PAGE_AT_MOST = 1.1
_NOTABLY = 0.8


def of_rows(rows: Sequence[Row], database: str) -> list[Verdict]:
    """A verdict on each goal of each row, and on a page far into the list."""
    found = [_verdict(row, goal) for row in rows for goal in row.workload.goals]
    named = {row.workload.name: row for row in rows}
    if {FIRST_PAGE, PAGE_500} <= named.keys():
        found.append(_far_page(named[FIRST_PAGE], named[PAGE_500], database))
    return found


def _verdict(row: Row, goal: Goal) -> Verdict:
    return Verdict(
        row.workload.name,
        f"at least {goal.at_least:g} x {PEERS[goal.against].name}",
        with_range(row.ratios(goal.against)),
        row.ratio(goal.against) >= goal.at_least,
        aim=f"{goal.aim:g}" if goal.aim else "",
    )


def _far_page(first: Row, far: Row, database: str) -> Verdict:
    ours = first.workload.subject.letter
    ratio = far.p50(ours) / first.p50(ours)
    is_real = database == "MongoDB"
    return Verdict(
        "page 500 against page 1",
        f"at most {_PAGE_AT_MOST:g} x its p50, on a real MongoDB",
        f"{ratio:.2f}" if is_real else f"{ratio:.2f} on {database}, which scans",
        ratio <= _PAGE_AT_MOST if is_real else None,
        aim="1",
    )


def against_us(rows: Sequence[Row], verdicts: Sequence[Verdict]) -> Iterator[str]:
    """One line for everything that a reader who compares should hear from us."""
    for verdict in verdicts:
        if verdict.reached is not True:
            said = f"{verdict.goal}; found {verdict.found}, {verdict.word}"
            yield f"- {verdict.workload}: {said}. {REASONS.get(verdict.workload, '')}".rstrip()
    for row in rows:
        yield from _dearer(row)
        yield from _later(row)


def _dearer(row: Row) -> Iterator[str]:
    for letter in _frameworks(row):
        if row.ratio(letter) < 1:
            theirs = f"{PEERS[letter].name} takes {row.ratio(letter):.2f} of our CPU"
            yield f"- {row.workload.name}: {theirs}."


def _later(row: Row) -> Iterator[str]:
    ours = row.p99(row.workload.subject.letter)
    for letter in _frameworks(row):
        if row.p99(letter) < _NOTABLY * ours:
            theirs = f"that of {PEERS[letter].name} {row.p99(letter):.1f} ms"
            yield f"- {row.workload.name}: p99 is {ours:.1f} ms, {theirs}."


def _frameworks(row: Row) -> list[str]:
    return [letter for letter in row.workload.peers if letter != "B"]
