"""Goals, and whether the figures of a run reach them. Nothing here is known before the run."""

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
    why: str = ""
    """Where the run cannot say, or always worth saying."""

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
