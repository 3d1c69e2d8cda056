"""The charts beside the results."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.rounds import Row

CPU: Final = Path(__file__).with_name("results.png")
GOALS: Final = Path(__file__).with_name("goals.png")
_OURS, _THEIRS, _SHORT = "#1b6ca8", "#b8c4cc", "#c0392b"
_DPI: Final = 80


def draw(rows: Sequence[Row]) -> None:
    """Both charts."""
    _cpu(rows)
    _goals(rows)


def _cpu(rows: Sequence[Row]) -> None:
    bars = [
        (f"{row.workload.name}: {kind.name}", row.cpu(kind.letter), kind.is_ours)
        for row in rows
        for kind in row.workload.kinds
    ]
    colours = [_OURS if ours else _THEIRS for _, _, ours in bars]
    figure, axes = _bars([name for name, _, _ in bars], [cost for _, cost, _ in bars], colours)
    axes.set_xscale("log")
    axes.set_xlabel("CPU for a request, microseconds (logarithmic); ours in blue")
    _save(figure, CPU)


def _goals(rows: Sequence[Row]) -> None:
    """How far each ratio is along its way to the goal: 1 is reached."""
    found = [
        (f"{row.workload.name}: {goal.at_least:g} x {goal.against}",
         row.ratio(goal.against) / goal.at_least)
        for row in rows
        for goal in row.workload.goals
    ]  # fmt: skip
    colours = [_OURS if share >= 1 else _SHORT for _, share in found]
    figure, axes = _bars([name for name, _ in found], [share for _, share in found], colours)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xlabel("found ratio by the least that is wanted; short of it in red")
    _save(figure, GOALS)


def _bars(names: Sequence[str], values: Sequence[float], colours: Sequence[str]) -> Any:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 0.2 * len(names) + 1))
    axes.barh(range(len(names)), values, color=colours)
    axes.set_yticks(range(len(names)), names, fontsize=6)
    axes.margins(y=0.01)
    axes.invert_yaxis()
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=_DPI)
