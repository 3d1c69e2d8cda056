"""Goals, and whether the figures of a run reach them. Nothing here is known before the run."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """Our rate divided by another's, in CPU per request: at least this."""

    against: str
    at_least: float
    aim: float | None = None


@dataclass(frozen=True)
class Verdict:
    """A goal beside what was found."""

    workload: str
    goal: str
    found: str
    reached: bool | None
    """None: this run cannot say."""
    aim: str = ""

    @property
    def word(self) -> str:
        """As the table says it."""
        return {True: "reached", False: "**falls short**", None: "not measured here"}[self.reached]


@dataclass(frozen=True)
class Finding:
    """What an experiment beside the rows gave: a section of the results."""

    title: str
    lines: Sequence[str]
    verdicts: Sequence[Verdict] = ()


def with_range(ratios: Sequence[float]) -> str:
    """The median, and in brackets where the lowest and the highest quarter end."""
    low, high = min(ratios), max(ratios)
    if len(ratios) > 2:
        low, _, high = statistics.quantiles(ratios, n=4)
    return f"{statistics.median(ratios):.2f} ({low:.2f}-{high:.2f})"
