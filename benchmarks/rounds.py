"""Rounds: in each, every server of a row is measured once, one after the other, so that whatever
else the machine does meets them all. Figures are medians over the rounds."""

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.dataset import Dataset
from benchmarks.load import Sample, measure, write_calls
from benchmarks.servers import Kind, Server, running
from benchmarks.workloads import Workload

_WARM_UP_SECONDS: Final = 1.0


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

    def ratio(self, against: str) -> float:
        """Our rate by another's: the median over the rounds of the ratio within each."""
        ours = self.samples[self.workload.subject.letter]
        pairs = zip(ours, self.samples[against], strict=True)
        return statistics.median(p.cpu_per_request / o.cpu_per_request for o, p in pairs)


def run(
    workload: Workload,
    data: Dataset,
    *,
    uri: str,
    redis_url: str,
    rounds: int,
    seconds: float,
    folder: Path,
) -> Row:
    """Measure one row.

    Args:
        workload: which.
        data: what the database holds.
        uri: the MongoDB.
        redis_url: the Redis.
        rounds: how often each server is measured.
        seconds: how long each time.
        folder: where the files of requests go.
    """
    with ExitStack() as stack:
        servers = [
            stack.enter_context(running(kind, environment_of(kind, uri, redis_url)))
            for kind in workload.kinds
        ]
        samples: dict[str, list[Sample]] = {server.kind.letter: [] for server in servers}
        files = {
            server.kind.letter: write_calls(
                workload.calls(data, server.kind), folder / server.kind.letter
            )
            for server in servers
        }
        for server in servers:
            _check(server, files[server.kind.letter])
            measure(server, files[server.kind.letter], seconds=_WARM_UP_SECONDS)
        for _ in range(rounds):
            for server in servers:
                data.empty_lines(uri)
                sample = measure(
                    server, files[server.kind.letter], seconds=seconds, headers=workload.headers
                )
                samples[server.kind.letter].append(sample)
    return Row(workload, samples)


def environment_of(kind: Kind, uri: str, redis_url: str) -> dict[str, str]:
    """Where a server of this kind finds its data."""
    if not kind.is_ours:
        return {"MONGODB_URI": uri}
    return {
        "MONGODB_URI": f"{uri}/bench_ours", "REDIS_URL": redis_url,
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings", "RATE_LIMITS_ENABLED": "false",
    }  # fmt: skip


def _check(server: Server, calls: Path) -> None:
    """Before anything is timed: the first answers have the right status, and a body.

    Raises:
        RuntimeError: they have not.
    """
    import http.client
    import json

    host = server.base.removeprefix("http://")
    for line in calls.read_text("utf-8").splitlines()[:5]:
        method, path, token, kind, body = line.split("\t")
        headers = {"Authorization": f"Bearer {token}"} if token != "-" else {}
        headers |= {"Content-Type": kind} if kind != "-" else {}
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.request(method, path, body if body != "-" else None, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        expected = {400} if "/token" in path and answer.status == 400 else {200, 201}
        if answer.status not in expected or len(content) < 20:
            raise RuntimeError(f"{server.kind.name} answers {answer.status} to {path}: {content!r}")
        if server.kind.letter != "B" and answer.status < 300:
            json.loads(content)
