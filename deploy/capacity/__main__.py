"""`python -m deploy.capacity`: computes results.md from measured.json and parameters.toml."""

import math
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from deploy.capacity import placement
from deploy.capacity.sizing import RATES, Sizing

RESULTS: Final = Path(__file__).with_name("results.md")
_CARTS: Final = 200_000
_BAR: Final = 40
"""Characters of the longest bar."""


def main() -> None:
    """Write the page, or with --check say whether it is as computed."""
    page = "\n".join(_page(Sizing.of_files())).rstrip() + "\n"
    if "--check" in sys.argv:  # for a test
        sys.exit(0 if RESULTS.read_text(encoding="utf-8") == page else "run make capacity")
    RESULTS.write_text(page, encoding="utf-8")


def _page(sizing: Sizing) -> Iterator[str]:
    yield "# What it takes to serve more"
    yield from _text(
        "Made by `make capacity` from [measured.json](measured.json) (`make capacity-measure`) and "
        "[parameters.toml](parameters.toml), which says what is chosen, and what nobody has "
        "measured yet."
    )
    yield from _costs(sizing)
    yield from _sheet(sizing)
    yield from _spread()


def _text(content: str) -> Iterator[str]:
    yield ""
    yield from textwrap.wrap(content, 118, break_long_words=False, break_on_hyphens=False)
    yield ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for cells in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(cells)} |"
    yield ""


def _costs(sizing: Sizing) -> Iterator[str]:
    where = sizing.measured["where"]
    yield "## One process"
    yield from _text(
        "gunicorn with one worker and 8 threads, the response cache on, a real Redis, and as "
        f"database {where['database']}; one core of a machine with {where['cores']}, Python "
        f"{where['python']}, load average {where['load_average']}. CPU is the time of the process, "
        "so the rate is what a core of this machine can do with nothing else to do; yours may be "
        "faster. Products are asked by popularity (Zipf) from 10,000, so neither cache has them "
        "all."
    )
    head = ("request", "share", "CPU µs", "a second and core", "Redis commands", "resident MiB",
            "MongoDB connections", "Redis connections")  # fmt: skip
    rows = []
    for kind, row in sizing.measured["kinds"].items():
        share = sizing.parameters["mix"][kind]
        rows.append((
            kind, f"{share:.1%}", f"{row['cpu_us']}", f"{1e6 / row['cpu_us']:,.0f}",
            f"{row['redis_commands']}", f"{row['resident_mib']}", f"{row['mongodb_connections']}",
            f"{row['redis_connections']}",
        ))  # fmt: skip
    mean = (f"{sizing.cpu_us:.0f}", f"{sizing.rate_of_core:,.0f}")
    yield from _table(head, [*rows, ("**all**", "100.0%", *mean, "", "", "", "")])


def _sheet(sizing: Sizing) -> Iterator[str]:
    pod, used = sizing.parameters["pod"], sizing.parameters["headroom"]["utilisation"]
    yield "## Up to 100,000 requests a second"
    yield from _text(
        f"A pod has {pod['workers']} workers on {pod['cores']} cores and is aimed at {used:.0%} of "
        f"them: **{sizing.rate_of_pod} requests a second**. Memory, and connections to Redis, are "
        "the most that a process was seen with. Connections to MongoDB are the most that it may "
        f"open to {sizing.parameters['mongodb']['mongos']} mongos: to each of them one for each of "
        f"{sizing.threads_of_process} threads (requests, imports, erasures, what goes on behind "
        "answers), because a pool closes none that is idle, and two that watch it "
        f"({sizing.mongodb_connections_of_process} a process). Operations of MongoDB are an upper "
        "bound: as if no cache ever had the answer. The figures of one pod times their number: "
        "nothing larger than this machine was loaded."
    )
    head = ("requests a second", "pods", "cores", "memory GiB", "MongoDB connections",
            "Redis connections", "MongoDB operations a second", "Redis commands a second",
            "shards")  # fmt: skip
    rows = []
    for rate in RATES:
        row = sizing.row(rate)
        shards = "not measured" if math.isnan(row["shards"]) else f"{row['shards']:,.0f}"
        rows.append((
            f"{rate:,}", f"{row['pods']:,}", f"{row['cores']:,}", f"{row['memory_gib']:,.1f}",
            f"{row['mongodb_connections']:,}", f"{row['redis_connections']:,}",
            f"{row['mongodb_operations']:,.0f}", f"{row['redis_commands']:,.0f}", shards,
        ))  # fmt: skip
    yield from _table(head, rows)


def _spread() -> Iterator[str]:
    ids = placement.carts(_CARTS, seed=1)
    spreads = {shards: placement.documents(ids, shards) for shards in placement.SHARDS}
    yield "## How carts spread over shards"
    yield from _text(
        f"A simulation: {_CARTS:,} carts with ids as servers make them, placed by MongoDB's hash "
        "of `_id`. Skew is the fullest shard over the mean. *Worth* is how many shards' work the "
        "cluster does until the fullest has no more to give; by ranges of the plain `_id` all new "
        "carts go to one shard."
    )
    rows = [
        (f"{n}", f"{s.skew:.4f}", f"{s.worth:.2f}", f"{placement.newest(ids, n).worth:.2f}")
        for n, s in spreads.items()
    ]
    yield from _table(("shards", "skew", "worth", "worth for new carts by ranges"), rows)
    yield from _hot_cart(spreads)


def _hot_cart(spreads: dict[int, placement.Spread]) -> Iterator[str]:
    yield from _text(
        "One hot cart lies on one shard whatever the key. What the cluster is worth when it gets a "
        "share of all requests:"
    )
    shares = placement.HOT_SHARES
    hot = {
        shards: [placement.with_hot_cart(spread, share).worth for share in shares]
        for shards, spread in spreads.items()
    }
    head = ("shards", *(f"{share:.0%} to one cart" for share in shares))
    yield from _table(head, [(f"{n}", *(f"{w:.2f}" for w in worth)) for n, worth in hot.items()])
    yield "```"
    yield from _chart(hot)
    yield "```"
    yield from _text(
        "So shards are worth adding while no cart has more than a few percent of the traffic. The "
        "limits on calls (`ecommerce/core/rate_limits/policies.py`) keep a cart below that: they "
        "are counted for each caller."
    )


def _chart(hot: dict[int, list[float]]) -> Iterator[str]:
    for share, column in ((0.0, 0), (0.1, 3)):
        yield f"worth in shards, {share:.0%} of requests to one cart"
        for shards, worth in hot.items():
            bar = "#" * round(worth[column] / max(hot) * _BAR)
            yield f"  {shards} shards  {bar} {worth[column]:.2f}"


if __name__ == "__main__":
    main()
