"""The results as Markdown."""

import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks import charts, verdicts
from benchmarks.goals import Finding, Verdict
from benchmarks.rounds import ROUNDS, SECONDS, Row, Scene

RESULTS: Final = Path(__file__).with_name("results.md")
_PACKAGES: Final = (
    "django", "djangorestframework", "pymongo", "mongoengine", "gunicorn", "fastapi", "beanie",
    "uvicorn", "litestar", "msgspec", "django-ninja", "pydantic",
)  # fmt: skip
_READING: Final = (
    "CPU is user and system time of the server's processes for one request, median of the rounds; "
    "± is half the range between the quartiles. Ratios are our rate by theirs in CPU, taken within "
    "each round: the median, and in brackets the lowest and the highest quarter's end. Latencies "
    "are of a closed loop (wrk) unless it says otherwise. Absolute figures of a shared machine "
    "mean nothing."
)
_LIMITS: Final = """\
- The bare gunicorn sends the same bytes to everybody: no framework does as little.
- Load and database share a core: latencies hold what waiting for it takes. CPU does not.
- Without BENCH_MONGODB_URI the database is mongo-java-server, which looks at every product for a
  read that names more than an id, as ours does (drafts are not for all): latencies of what is not
  kept are its, and so is their growth.
- The peers are the shop's reads and adds alone: no metrics, no problem documents, no request ids,
  no audit log. Rate limits are off in ours too, as wrk is one client.
- django-ninja and Litestar have no carts here, and no peer has search: those rows stand alone."""


def write(rows: Sequence[Row], findings: Sequence[Finding], scene: Scene, *, database: str) -> None:
    """Write results.md and the charts beside it."""
    found = verdicts.of_rows(rows, database)
    found += [verdict for finding in findings for verdict in finding.verdicts]
    text = "\n".join(
        ["# Side by side", "", _taken(scene, database), "", _READING, "", *_goals(found), "",
         "![Ratios by their goals](goals.png)", "", "## What is not in our favour", "",
         *verdicts.against_us(rows, found), _LIMITS, "", "## Every row", "", *_table(rows), "",
         *(line for finding in findings for line in _section(finding)),
         "![CPU for a request](results.png)"]
    )  # fmt: skip
    RESULTS.write_text(text + "\n", encoding="utf-8")
    charts.draw(rows)


def _taken(scene: Scene, database: str) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"Taken {datetime.now(UTC):%Y-%m-%d} with {command_of(scene)}: {scene.rounds} interleaved "
        f"rounds of {scene.seconds} s, one worker on one core; load and database on the other. "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {sys.platform}; load average "
        f"of the last 15 minutes {os.getloadavg()[2]:.1f}; database: {database}. {versions}."
    )


def command_of(scene: Scene) -> str:
    """What a reader types for the same run."""
    given = (("--rounds", scene.rounds, ROUNDS), ("--seconds", scene.seconds, SECONDS))
    options = "".join(f" {name} {value}" for name, value, default in given if value != default)
    return f"`python -m benchmarks{options}`" if options else "`make bench`"


def _goals(found: Sequence[Verdict]) -> list[str]:
    return [
        "## Goals", "", "| workload | goal | found | aim | |", "| --- | --- | ---: | ---: | --- |",
        *(
            f"| {one.workload} | {one.goal} | {one.found} | {one.aim or '-'} | {one.word} |"
            for one in found
        ),
    ]  # fmt: skip


def _table(rows: Sequence[Row]) -> list[str]:
    lines = [
        "| workload | server | CPU µs | ± % | requests/s | p50 ms | p99 ms |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        for kind in row.workload.kinds:
            name = row.workload.name if kind is row.workload.subject else ""
            letter = kind.letter
            lines.append(
                f"| {name} | {kind.name} | {row.cpu(letter):.0f} | {row.spread(letter):.0f} | "
                f"{row.rate(letter):.0f} | {row.p50(letter):.1f} | {row.p99(letter):.1f} |"
            )
    return lines


def _section(finding: Finding) -> list[str]:
    return [f"## {finding.title}", "", *finding.lines, ""]
