"""Rounds: in each, every server of a row is measured once, one after the other, so that whatever
else the machine does meets them all. Figures are medians over the rounds."""

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.checks import CARTS, check
from benchmarks.dataset import Dataset
from benchmarks.load import Sample, measure, warm_up, write_calls
from benchmarks.servers import Kind, Server, running
from benchmarks.workloads import Workload

ROUNDS: Final = 7
SECONDS: Final = 2
"""What `make bench` measures with."""
_WARM_UP_SECONDS: Final = 1


@dataclass(frozen=True)
class Scene:
    """What a run measures with."""

    uri: str
    """The MongoDB."""
    redis_url: str
    rounds: int
    """How often each server is measured."""
    seconds: int
    """How long each time."""
    folder: Path
    """Where the files of requests go."""


@dataclass(frozen=True)
class Row:
    """What one workload gave."""

    workload: Workload
    samples: Mapping[str, Sequence[Sample]]
    """By the letter of the server, one for each round."""

    def cpu(self, letter: str) -> float:
        """Median microseconds of CPU for a request."""
        return statistics.median(sample.cpu_per_request for sample in self.samples[letter])

    def spread(self, letter: str) -> float:
        """Half the range between the quartiles, in percent of the median."""
        costs = [sample.cpu_per_request for sample in self.samples[letter]]
        if len(costs) < 3:
            return 0.0
        low, _, high = statistics.quantiles(costs, n=4)
        return (high - low) / 2 / statistics.median(costs) * 100

    def p50(self, letter: str) -> float:
        """Median of the rounds' median latencies, milliseconds."""
        return statistics.median(sample.p50 for sample in self.samples[letter])

    def p99(self, letter: str) -> float:
        """The same for the 99th percentile."""
        return statistics.median(sample.p99 for sample in self.samples[letter])

    def rate(self, letter: str) -> float:
        """Requests in a second on the clock, median."""
        return statistics.median(s.requests / s.seconds for s in self.samples[letter])

    def ratio(self, against: str) -> float:
        """Our rate by another's: the median over the rounds of the ratio within each."""
        return statistics.median(self.ratios(against))

    def ratios(self, against: str) -> list[float]:
        """The ratio within each round."""
        ours = self.samples[self.workload.subject.letter]
        pairs = zip(ours, self.samples[against], strict=True)
        return [p.cpu_per_request / o.cpu_per_request for o, p in pairs]


def run(workload: Workload, data: Dataset, scene: Scene) -> Row:
    """Measure one row."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(running(kind, environment_of(kind, scene)))
            for kind in workload.kinds
        ]
        samples: dict[str, list[Sample]] = {server.kind.letter: [] for server in servers}
        calls = {server.kind.letter: workload.calls(data, server.kind) for server in servers}
        files = {
            letter: write_calls(asked, scene.folder / letter) for letter, asked in calls.items()
        }
        adds = any(call.path.startswith(CARTS) for call in calls[workload.subject.letter])
        for server in servers:
            if adds:
                data.empty_lines(scene.uri)
            check(server, files[server.kind.letter], workload, data)
            _warm(server, files[server.kind.letter], workload)
        for _ in range(scene.rounds):
            for server in servers:
                if adds:
                    data.empty_lines(scene.uri)
                sample = _sample(server, files[server.kind.letter], workload, scene.seconds)
                samples[server.kind.letter].append(sample)
    return Row(workload, samples)


def _warm(server: Server, calls: Path, workload: Workload) -> None:
    if server.kind.is_ours and server.kind.environment["RESPONSE_CACHE"] != "off":
        warm_up(server, calls)
    else:
        _sample(server, calls, workload, _WARM_UP_SECONDS)


def _sample(server: Server, calls: Path, workload: Workload, seconds: int) -> Sample:
    return measure(
        server, calls, seconds=seconds, connections=workload.connections, headers=workload.headers,
        statuses=workload.statuses,
    )  # fmt: skip


def environment_of(kind: Kind, scene: Scene) -> dict[str, str]:
    """Where a server of this kind finds its data, and counts for several processes if it does."""
    if not kind.is_ours:
        return {"MONGODB_URI": scene.uri}
    counts = {"PROMETHEUS_MULTIPROC_DIR": str(scene.folder / f"metrics-{kind.letter}")}
    return {
        **(counts if kind.shares_metrics else {}),
        "MONGODB_URI": f"{scene.uri}/{kind.database}", "REDIS_URL": scene.redis_url,
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings", "RATE_LIMITS_ENABLED": "false",
        "SLOW_OPERATION_MS": "60000",  # the database is slow here, and logs of it are work
    }  # fmt: skip
