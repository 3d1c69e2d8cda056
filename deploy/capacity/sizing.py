"""How much of everything a number of requests a second takes, from what was measured."""

import json
import math
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ecommerce.core.background import THREADS as BACKGROUND_THREADS

HERE: Final = Path(__file__).resolve().parent
RATES: Final = (100, 1_000, 5_000, 10_000, 50_000, 100_000)
PERIODIC_THREADS: Final = 2
"""Of a server's process: imports and erasures."""
_WATCHING: Final = 2
"""Connections by which PyMongo watches a mongos."""


@dataclass(frozen=True)
class Sizing:
    """The sheet: what was measured, and what is assumed."""

    measured: dict[str, Any]
    parameters: dict[str, Any]

    @classmethod
    def of_files(cls) -> "Sizing":
        """As the two files beside this one have it."""
        measured = json.loads((HERE / "measured.json").read_text(encoding="utf-8"))
        return cls(measured, tomllib.loads((HERE / "parameters.toml").read_text(encoding="utf-8")))

    @cached_property
    def cpu_us(self) -> float:
        """Microseconds of a core for the mean request."""
        return self._mean({kind: row["cpu_us"] for kind, row in self.measured["kinds"].items()})

    def _mean(self, costs: dict[str, float]) -> float:
        return float(sum(share * costs[kind] for kind, share in self.parameters["mix"].items()))

    @property
    def rate_of_core(self) -> float:
        """Requests a second that a core can answer, with nothing else to do."""
        return 1e6 / self.cpu_us

    @property
    def rate_of_pod(self) -> int:
        """Requests a second that a pod should have: what the autoscaler aims at."""
        pod, used = self.parameters["pod"], self.parameters["headroom"]["utilisation"]
        return int(self.rate_of_core * min(pod["workers"], pod["cores"]) * used)

    def pods(self, rate: int) -> int:
        """Pods for so many requests a second."""
        return math.ceil(rate / self.rate_of_pod)

    def most(self, what: str) -> int:
        """The largest figure of a kind that one process had."""
        return int(max(row[what] for row in self.measured["kinds"].values()))

    @property
    def mongodb_connections_of_process(self) -> int:
        """The most that it may open: PyMongo has a pool for each mongos and closes no idle one."""
        return int(self.parameters["mongodb"]["mongos"] * (self.threads_of_process + _WATCHING))

    @property
    def threads_of_process(self) -> int:
        """Those that may ask MongoDB, at the same time."""
        return int(self.parameters["pod"]["threads"] + PERIODIC_THREADS + BACKGROUND_THREADS)

    def row(self, rate: int) -> dict[str, float]:
        """All that so many requests a second take."""
        pods = self.pods(rate)
        processes = pods * self.parameters["pod"]["workers"]
        operations = rate * self._mean(self.parameters["mongodb_operations"])
        redis = {kind: row["redis_commands"] for kind, row in self.measured["kinds"].items()}
        return {
            "pods": pods,
            "cores": pods * self.parameters["pod"]["cores"],
            "memory_gib": processes * self.most("resident_mib") / 1024,
            "mongodb_connections": processes * self.mongodb_connections_of_process,
            "redis_connections": processes * self.most("redis_connections"),
            "mongodb_operations": operations,
            "redis_commands": rate * self._mean(redis),
            "shards": self._shards(operations),
        }

    def _shards(self, operations: float) -> float:
        one = self.parameters["shard"]["operations_a_second"]
        return math.ceil(operations / one) if one else math.nan
