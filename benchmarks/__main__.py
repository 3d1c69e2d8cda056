"""`python -m benchmarks`: our server beside its peers, on one database, in interleaved rounds."""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import dataset, report, rounds, stores
from benchmarks.workloads import WORKLOADS

_QUICK: Final = ("GET product", "list of 20", "add to cart, own")


def main() -> None:
    """Measure, and write results.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each server and round (3)")
    parser.add_argument("--quick", action="store_true", help="three short rounds, printed only")
    parser.add_argument("--only", default="", metavar="TEXT", help="workloads whose name holds it")
    options = parser.parse_args()
    chosen = [w for w in WORKLOADS if options.only in w.name]
    if options.quick:
        options.rounds, options.seconds = 3, 1
        chosen = [w for w in chosen if w.name.startswith(_QUICK)]
    with (
        stores.database() as (uri, name),
        stores.redis() as redis_url,
        TemporaryDirectory() as folder,
    ):
        data = dataset.fill(uri)
        rows = []
        for workload in chosen:
            row = rounds.run(
                workload, data, uri=uri, redis_url=redis_url, rounds=options.rounds,
                seconds=options.seconds, folder=Path(folder),
            )  # fmt: skip
            rows.append(row)
            _say(row)
    if not options.quick and not options.only:
        report.write(rows, rounds=options.rounds, seconds=options.seconds, server=name)


def _say(row: rounds.Row) -> None:
    costs = "  ".join(f"{k.letter} {row.cpu(k.letter):.0f}" for k in row.workload.kinds)
    goals = "  ".join(
        f"{row.ratio(g.against):.2f} x {g.against} (at least {g.at_least:g})"
        for g in row.workload.goals
    )
    print(f"{row.workload.name:34} CPU µs: {costs}   {goals}", flush=True)


if __name__ == "__main__":
    main()
