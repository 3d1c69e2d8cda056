"""`python -m benchmarks`: our server beside its peers, on one database, in interleaved rounds."""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks import catalogs, dataset, edge, journeys, memory, report, rounds, stores, tokens
from benchmarks.dataset import Dataset
from benchmarks.goals import Finding
from benchmarks.rounds import Scene
from benchmarks.workloads import WORKLOADS

_QUICK: Final = ("GET product", "list of 20, ", "add to cart, own")
_SLOW: Final = ", by "
"""In the names of the rows about growth."""
_EXPERIMENTS: Final[dict[str, Callable[[Scene, Dataset], Finding]]] = {
    "nginx": edge.finding,
    "hash": tokens.finding,
    "journey": journeys.mixed,
    "storm": journeys.storm,
    "memory": memory.finding,
}


def main() -> None:
    """Measure, and write results.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=rounds.ROUNDS)
    parser.add_argument(
        "--seconds", type=int, default=rounds.SECONDS,
        help=f"for each server and round, whole ones ({rounds.SECONDS})",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="three short rounds, printed only")
    parser.add_argument("--only", default="", metavar="TEXT", help="what has it in its name")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 3, 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers end with us
    with stores.database() as (uri, name), stores.redis() as url, TemporaryDirectory() as folder:
        data = dataset.fill(uri, pages=() if options.quick else (500,))
        scene = Scene(uri, url, options.rounds, options.seconds, Path(folder))
        if not options.quick:
            catalogs.fill(uri)
        rows, findings = list(_rows(scene, data, options)), list[Finding]()
        if options.quick:
            return
        for found in _findings(scene, data, options.only):
            findings.append(found)
            if not options.only:  # what was measured stays, should a later one fail
                report.write(rows, findings, scene, database=name)


def _rows(scene: Scene, data: Dataset, options: Any) -> Iterator[rounds.Row]:
    for workload in WORKLOADS:
        is_quick = workload.name.startswith(_QUICK) and _SLOW not in workload.name
        if options.only in workload.name and (is_quick or not options.quick):
            row = rounds.run(workload, data, scene)
            _say(row)
            yield row


def _findings(scene: Scene, data: Dataset, only: str) -> Iterator[Finding]:
    for name, experiment in _EXPERIMENTS.items():
        if only in name:
            found = experiment(scene, data)
            print(found.title, *found.lines, *found.verdicts, sep="\n", flush=True)
            yield found


def _say(row: rounds.Row) -> None:
    costs = "  ".join(f"{k.letter} {row.cpu(k.letter):.0f}" for k in row.workload.kinds)
    goals = "  ".join(
        f"{row.ratio(g.against):.2f} x {g.against} (at least {g.at_least:g})"
        for g in row.workload.goals
    )
    print(f"{row.workload.name:34} CPU µs: {costs}   {goals}", flush=True)


if __name__ == "__main__":
    main()
