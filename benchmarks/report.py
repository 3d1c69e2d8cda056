"""The results as Markdown."""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from benchmarks import charts, verdicts
from benchmarks.goals import Finding, Verdict
from benchmarks.rounds import ROUNDS, SECONDS, Row, Scene
from benchmarks.servers import ROOT

_CPUINFO: Final = Path("/proc/cpuinfo")
RESULTS: Final = Path(__file__).with_name("results.md")
_PACKAGES: Final = (
    "django", "djangorestframework", "pymongo", "mongoengine", "gunicorn", "fastapi", "beanie",
    "uvicorn", "litestar", "msgspec", "django-ninja", "pydantic", "argon2-cffi",
)  # fmt: skip
_PROGRAMS: Final = {
    "wrk": ("wrk", "-v"), "nginx": ("nginx", "-v"), "Redis": ("redis-server", "--version"),
}  # fmt: skip
_VERSION: Final = re.compile(r"\d+\.\d+[.\d]*")
_WIRE_SERVER: Final = "mongo-java-server"
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
  no audit log. Rate limits and the access log are off in ours too, as wrk is one client and no peer
  has either: `as deployed`, in the first row, is the same server with both and with metrics that
  several processes share, by the settings of production. The log of slow operations is off, for
  the database is slow here.
- django-ninja and Litestar have no carts here, and no peer has search: those rows stand alone.
- The mixed journey has no peer.
- Body and length are checked for the first five requests of each file, the status for all."""


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
    versions = ", ".join(_versions(database))
    return (
        f"Taken {datetime.now(UTC):%Y-%m-%d} with {command_of(scene)}: {scene.rounds} interleaved "
        f"rounds of {scene.seconds} s, one worker on one core; load and database on the other. "
        f"{os.cpu_count()} cores ({cpu_model()}), Python {platform.python_version()}, "
        f"{sys.platform}; load average of the last 15 minutes {os.getloadavg()[2]:.1f}; "
        f"database: {database}. {versions}."
    )


def _versions(database: str) -> Iterator[str]:
    for name in _PACKAGES:
        yield f"{name} {package_version(name)}"
    for name, command in _PROGRAMS.items():
        yield f"{name} {program_version(*command)}"
    if database.startswith(_WIRE_SERVER):
        yield f"{_WIRE_SERVER} {wire_server_version()}"


def package_version(name: str) -> str:
    """That of a distribution; a run that is done is not lost for one that is missing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not found"


def program_version(*command: str) -> str:
    """What a program says its version is, however it ends and wherever it writes: wrk's code is 1,
    nginx's stream is stderr."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "not found"
    found = _VERSION.search(said.stdout + said.stderr)
    return found[0] if found else "unknown"


def wire_server_version() -> str:
    """The one that the tests' wire-protocol server is built from."""
    pom = (ROOT / "tests" / "wire" / "pom.xml").read_text("utf-8")
    found = re.search(rf"<artifactId>{_WIRE_SERVER}</artifactId>\s*<version>([^<]+)<", pom)
    return found[1] if found else "unknown"


def cpu_model(cpuinfo: Path = _CPUINFO) -> str:
    """The processor's name, as Linux says it."""
    try:
        text = cpuinfo.read_text("utf-8")
    except OSError:
        return "model unknown"
    found = re.search(r"^model name\s*:\s*(.+?)\s*$", text, re.MULTILINE)
    return found[1] if found else "model unknown"


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
