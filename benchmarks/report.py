"""The results as Markdown and as a chart."""

import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.kinds import PEERS
from benchmarks.rounds import Row

RESULTS: Final = Path(__file__).with_name("results.md")
CHART: Final = Path(__file__).with_name("results.png")
_PACKAGES: Final = (
    "django", "djangorestframework", "pymongo", "mongoengine", "gunicorn", "fastapi", "beanie",
    "uvicorn", "litestar", "msgspec", "django-ninja", "pydantic",
)  # fmt: skip


_READING: Final = (
    "CPU is user and system time of the server's processes for one request, median of the rounds; "
    "± is half the range between the quartiles. Ratios are our rate by theirs in CPU, taken within "
    "each round. Absolute figures of a shared machine mean nothing."
)
_COLUMNS: Final = "| workload | server | CPU µs | ± % | p50 ms | p99 ms |"
_GOAL_COLUMNS: Final = "| workload | against | ratio | at least | aim | |"


def write(rows: Sequence[Row], *, rounds: int, seconds: float, server: str) -> None:
    """Write results.md and the chart beside it."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    taken = (
        f"Taken {datetime.now(UTC):%Y-%m-%d} with `make bench`: {rounds} interleaved rounds of "
        f"{seconds:g} s, one worker on one core; load and database on the other. "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {sys.platform}; database: "
        f"{server}. {versions}."
    )
    text = "\n".join(
        ["# Side by side", "", taken, "", _READING, "", *_table(rows), "", *_goals(rows), "",
         "![CPU for a request](results.png)"]
    )  # fmt: skip
    RESULTS.write_text(text + "\n", encoding="utf-8")
    _chart(rows)


def _table(rows: Sequence[Row]) -> list[str]:
    lines = [
        "| workload | server | CPU µs | ± % | p50 ms | p99 ms |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        for kind in row.workload.kinds:
            name = row.workload.name if kind is row.workload.subject else ""
            letter = kind.letter
            lines.append(
                f"| {name} | {kind.name} | {row.cpu(letter):.0f} | {row.spread(letter):.0f} | "
                f"{row.p50(letter):.1f} | {row.p99(letter):.1f} |"
            )
    return lines


def _goals(rows: Sequence[Row]) -> list[str]:
    lines = [
        "## Goals",
        "",
        "| workload | against | ratio | at least | aim | |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        for goal in row.workload.goals:
            ratio = row.ratio(goal.against)
            aim = f"{goal.aim:g}" if goal.aim else "-"
            met = "met" if ratio >= goal.at_least else "**falls short**"
            lines.append(
                f"| {row.workload.name} | {PEERS[goal.against].name} | {ratio:.2f} | "
                f"{goal.at_least:g} | {aim} | {met} |"
            )
    return lines


def _chart(rows: Sequence[Row]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    bars = [
        (f"{row.workload.name}: {kind.name}", row.cpu(kind.letter), kind.is_ours)
        for row in rows
        for kind in row.workload.kinds
    ]
    figure, axes = plt.subplots(figsize=(10, 0.28 * len(bars) + 1))
    colours = ["#1b6ca8" if ours else "#b8c4cc" for _, _, ours in bars]
    axes.barh(range(len(bars)), [cost for _, cost, _ in bars], color=colours)
    axes.set_yticks(range(len(bars)), [name for name, _, _ in bars], fontsize=7)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("CPU for a request, microseconds (logarithmic); ours in blue")
    figure.tight_layout()
    figure.savefig(CHART, dpi=110)
