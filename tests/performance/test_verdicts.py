"""Whether a goal is reached follows from the figures of the run alone."""

from dataclasses import replace

import pytest

from benchmarks import verdicts
from benchmarks.goals import Goal
from benchmarks.load import Sample
from benchmarks.rounds import Row
from benchmarks.workloads import FIRST_PAGE, PAGE_500, WORKLOADS


def row(name: str = FIRST_PAGE, *, ours: float, theirs: float, p99: float = 1.0) -> Row:
    """Both cost so many microseconds in each of three rounds."""
    workload = next(one for one in WORKLOADS if one.name == name)
    workload = replace(workload, peers=("F",), goals=[Goal("F", 1.0, 1.3)])
    samples = {
        workload.subject.letter: [Sample(1_000_000, 1, ours, 2.0, p99)] * 3,
        "F": [Sample(1_000_000, 1, theirs, 2.0, 1.0)] * 3,
    }
    return Row(workload, samples)


@pytest.mark.parametrize(
    ("ours", "theirs", "found", "reached"),
    [(100, 100, "1.00", True), (100, 99, "0.99", False), (50, 100, "2.00", True)],
)
def test_a_goal_is_reached_from_its_least_on(
    ours: float, theirs: float, found: str, reached: bool
) -> None:
    [verdict] = verdicts.of_rows([row(ours=ours, theirs=theirs)], "MongoDB")
    assert verdict.goal == "at least 1 x FastAPI + Beanie"
    assert verdict.found == f"{found} ({found}-{found})"
    assert verdict.reached is reached


def test_a_ratio_is_the_median_of_those_within_each_round() -> None:
    plain = row(ours=100, theirs=100)
    theirs = [Sample(1, 1, cost / 1e6, 1, 1) for cost in (50, 300, 110)]
    ours = [Sample(1, 1, cost / 1e6, 1, 1) for cost in (50, 100, 100)]
    both = Row(plain.workload, {plain.workload.subject.letter: ours, "F": theirs})
    assert both.ratio("F") == pytest.approx(1.1)


@pytest.mark.parametrize(("database", "reached"), [("MongoDB", True), ("something else", None)])
def test_far_pages_are_judged_on_mongodb_alone(database: str, reached: bool | None) -> None:
    rows = [row(ours=1, theirs=2), row(PAGE_500, ours=1, theirs=2)]
    far = verdicts.of_rows(rows, database)[-1]
    assert (far.workload, far.reached) == ("page 500 against page 1", reached)


def test_what_falls_short_or_is_dearer_or_later_is_said() -> None:
    rows = [row(ours=100, theirs=50, p99=9.0)]
    said = "\n".join(verdicts.against_us(rows, verdicts.of_rows(rows, "MongoDB")))
    assert "at least 1 x FastAPI + Beanie; found 0.50 (0.50-0.50), **falls short**" in said
    assert "FastAPI + Beanie takes 0.50 of our CPU" in said
    assert "p99 is 9.0 ms, that of FastAPI + Beanie 1.0 ms" in said


def test_nothing_is_said_where_ours_is_the_better() -> None:
    rows = [row(ours=50, theirs=100)]
    assert list(verdicts.against_us(rows, verdicts.of_rows(rows, "MongoDB"))) == []
