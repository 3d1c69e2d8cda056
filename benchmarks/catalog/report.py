"""Figures as Markdown: a section for each server, replaced when that server is measured again."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.catalog.calls import Cost, Spread
from benchmarks.sections import machine, put

RESULTS: Final = Path(__file__).with_name("results.md")
_HEAD: Final = """# What reading the catalog costs as it grows

Made by `make bench-catalog`. Milliseconds for one request through the whole application, without a
network and with the response cache off: the median, and in brackets where the lowest and the
highest tenth of the samples end. Growth is the median at the largest catalog over the median at the
smallest. CPU is that of the application's process, which on the embedded store is the database's
too. A status in place of a figure: the call was answered so, and not measured. Where the load
average is above the number of cores, other work ran beside it: wall times then say little, CPU
times still do. The embedded store and mongo-java-server sort and scan where MongoDB walks an index:
their growth is not MongoDB's.
"""

Figures = Mapping[str, Mapping[int, Cost]]
"""By call, then by size of the catalog."""


def write(server: str, sizes: Sequence[int], figures: Figures, path: Path = RESULTS) -> None:
    """Put the section of this server into the file; those of others stay."""
    put(path, _HEAD, "\n".join(_section(server, sizes, figures)))


def _section(server: str, sizes: Sequence[int], figures: Figures) -> Iterator[str]:
    yield f"## {server}\n"
    yield f"{machine()}."
    for title, kind in (("Wall time", "wall"), ("CPU time", "cpu")):
        yield f"\n| {title} of | server | {' | '.join(f'{n:,} products' for n in sizes)} | growth |"
        yield f"| --- | --- |{' --- |' * (len(sizes) + 1)}"
        for call, costs in figures.items():
            spreads = [getattr(costs[size], kind) for size in sizes]
            cells = [_cell(costs[size], s) for size, s in zip(sizes, spreads, strict=True)]
            yield f"| {call} | {server} | {' | '.join(cells)} | {_growth(spreads)} |"


def _cell(cost: Cost, spread: Spread | None) -> str:
    if spread is None:
        return f"status {cost.status}"
    return f"{spread.median:.2f} ({spread.low:.2f}-{spread.high:.2f})"


def _growth(spreads: Sequence[Spread | None]) -> str:
    first, last = spreads[0], spreads[-1]
    return f"{last.median / first.median:.1f}" if first and last else ""
