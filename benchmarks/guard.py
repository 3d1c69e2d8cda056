"""`python -m benchmarks.guard`: what five hot paths cost beside gunicorn alone, as JSON.

`make guard` holds the figures against its limits (`tests/performance`).
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import dataset, rounds, stores
from benchmarks.kinds import ours
from benchmarks.rounds import Scene
from benchmarks.workloads import WORKLOADS, Workload

HOT_PATHS: Final = (
    "GET product, process-warm", "GET product, Redis-warm", "GET product, uncached",
    "list of 20, uncached", "add to cart, own carts of 1 line",
)  # fmt: skip
_PRODUCTS: Final = 1_000
_ROUNDS: Final = 5
_SLOWED: Final = ours(
    "O", "ours, slowed down", RESPONSE_CACHE="off", DJANGO_SETTINGS_MODULE="benchmarks.slowed"
)


def main() -> None:
    """Measure, and print our rate as a share of the bare server's, path by path."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=main.__doc__)
    parser.add_argument("--slowed", action="store_true", help="one path, with a fault in it")
    options = parser.parse_args()
    chosen = [_beside_bare(w) for w in WORKLOADS if w.name in HOT_PATHS]
    if options.slowed:
        chosen = [replace(w, subject=_SLOWED) for w in chosen if w.name == HOT_PATHS[2]]
    with stores.database() as (uri, _), stores.redis() as url, TemporaryDirectory() as folder:
        data = dataset.fill(uri, products=_PRODUCTS, pages=())
        scene = Scene(uri, url, _ROUNDS, 1, Path(folder))
        rows = [rounds.run(workload, data, scene) for workload in chosen]
    json.dump({row.workload.name: round(row.ratio("B"), 4) for row in rows}, sys.stdout)


def _beside_bare(workload: Workload) -> Workload:
    return replace(workload, peers=("B",), others=())


if __name__ == "__main__":
    main()
