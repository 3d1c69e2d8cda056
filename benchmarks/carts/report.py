"""Figures as Markdown: a section for each server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.carts.adds import LINES, Cost, Figures
from benchmarks.sections import machine, put

RESULTS: Final = Path(__file__).with_name("results.md")
_HEAD: Final = """# What an add costs as a cart grows

Made by `make bench-carts`. One more piece of a product that a guest's cart holds already, through
the whole application without a network. Milliseconds: the median, and in brackets where the lowest
and the highest tenth of the samples end. Growth is the median at 100 lines over the median at one;
the sizes are asked in turns. `tests/carts/test_add_cost.py` keeps that of CPU time at most 2.
Other work on the machine makes growth look smaller than it is. CPU is that of the application's
process, which on the embedded store is the database's too. Where the load average is above the
number of cores, other work ran beside it: wall times then say little, CPU times still do.
"""


def write(server: str, figures: Figures, path: Path = RESULTS) -> None:
    """Put the section of this server into the file; those of others stay."""
    put(path, _HEAD, "\n".join(_section(server, figures)))


def _section(server: str, figures: Figures) -> Iterator[str]:
    yield f"## {server}\n"
    yield f"{machine()}.\n"
    sizes = " | ".join("1 line" if lines == 1 else f"{lines} lines" for lines in LINES)
    yield f"| | operations | time | {sizes} | growth |"
    yield f"| --- | --- | --- |{' --- |' * (len(LINES) + 1)}"
    for kind, costs in figures.items():
        operations = ", ".join(map(str, sorted({cost.operations for cost in costs.values()})))
        for time in ("wall", "cpu"):
            cells = " | ".join(_cell(costs[lines], time) for lines in LINES)
            growth = _median(costs[LINES[-1]], time) / _median(costs[LINES[0]], time)
            yield f"| {kind} | {operations} | {time} | {cells} | {growth:.1f} |"


def _median(cost: Cost, time: str) -> float:
    return float(getattr(cost, time).median)


def _cell(cost: Cost, time: str) -> str:
    spread = getattr(cost, time)
    return f"{spread.median:.2f} ({spread.low:.2f}-{spread.high:.2f})"
