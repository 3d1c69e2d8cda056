"""Memory of a worker over 100,000 requests."""

from typing import Final

from benchmarks.dataset import Dataset
from benchmarks.goals import Finding, Verdict
from benchmarks.journeys import journey, warm_searches
from benchmarks.kinds import PROCESS_WARM
from benchmarks.load import measure, write_calls
from benchmarks.rounds import Scene, environment_of
from benchmarks.servers import running

_REQUESTS: Final = 100_000
_FROM: Final = 50_000
_NOISE_MIB: Final = 1.0
"""What an allocator may take or give back at any moment."""


def finding(scene: Scene, data: Dataset) -> Finding:
    """Resident memory as requests go by: reads, searches and adds to carts."""
    answered, held = 0, list[tuple[int, float]]()
    with running(PROCESS_WARM, environment_of(PROCESS_WARM, scene)) as server:
        calls = write_calls(journey(data, logins=False), scene.folder / "mixed")
        warm_searches(server, data, scene)
        while answered < _REQUESTS:
            data.empty_lines(scene.uri)
            answered += measure(server, calls, seconds=4).requests
            held.append((answered, server.resident_kib() / 1024))
    middle = next(mib for requests, mib in held if requests >= _FROM)
    growth = max(mib for requests, mib in held if requests >= _FROM) - middle
    lines = [
        "One worker with its parent: reads of products, searches and adds to carts.", "",
        "| requests | MiB |", "| ---: | ---: |",
        *(f"| {requests:,} | {mib:.1f} |" for requests, mib in held),
    ]  # fmt: skip
    verdict = Verdict(
        "memory of a worker after 100,000 requests",
        f"no growth from {_FROM:,} on (within {_NOISE_MIB:g} MiB)", f"{growth:+.1f} MiB",
        growth <= _NOISE_MIB,
    )  # fmt: skip
    return Finding("Memory", lines, [verdict])
