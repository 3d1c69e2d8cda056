"""What a HorizontalPodAutoscaler does, for one manifest: the algorithm that Kubernetes documents.

https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/ "Algorithm
details" and "Configurable scaling behavior". It decides; who starts and ends pods is somebody else.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

TOLERANCE: Final = 0.1
SYNC_SECONDS: Final = 15.0
"""What a controller manager has unless it is told otherwise."""


@dataclass(frozen=True)
class Reading:
    """One metric now: its value for each pod that has one, and how many have none."""

    target: float
    values: Mapping[str, float]
    missing: int = 0

    def wants(self) -> int | None:
        """How many pods would be at the target; None where nothing is known."""
        if not self.values:
            return None
        present = len(self.values) + self.missing
        ratio = sum(self.values.values()) / len(self.values) / self.target
        if _is_close(ratio):
            return present
        if not self.missing:
            return math.ceil(ratio * present)
        # Who says nothing is taken to need little when more are wanted, and much when fewer are.
        assumed = 0.0 if ratio > 1 else self.target
        whole = (sum(self.values.values()) + assumed * self.missing) / present / self.target
        if _is_close(whole) or (whole > 1) != (ratio > 1):
            return present
        return math.ceil(whole * present)


class Autoscaler:
    """The decisions of one manifest.

    Args:
        spec: of the HorizontalPodAutoscaler.
        scale: its windows and periods pass so many times faster.
    """

    def __init__(self, spec: Mapping[str, Any], *, scale: float = 1) -> None:
        self.least, self.most = int(spec["minReplicas"]), int(spec["maxReplicas"])
        self._up, self._down = spec["behavior"]["scaleUp"], spec["behavior"]["scaleDown"]
        self._scale = scale
        self._wanted: list[tuple[float, int]] = []
        self._changes: list[tuple[float, int]] = []

    def decide(self, now: float, replicas: int, readings: Iterable[Reading]) -> int:
        """How many pods there are to be, `now` seconds after some moment."""
        wanted = self._bounded(_most_of(replicas, readings))
        self._wanted.append((now, wanted))
        stable = self._stabilized(now, replicas)
        decided = self._bounded(self._limited(now, replicas, stable))
        if decided != replicas:
            self._changes.append((now, decided - replicas))
        return decided

    def _bounded(self, count: int) -> int:
        return min(max(count, self.least), self.most)

    def _stabilized(self, now: float, replicas: int) -> int:
        """As many as were wanted all along the window: no more for growing, no fewer to shrink."""
        most = min(self._within(self._up, now))
        least = max(self._within(self._down, now))
        return min(max(replicas, most), least) if most <= least else replicas

    def _within(self, behavior: Mapping[str, Any], now: float) -> list[int]:
        window = behavior["stabilizationWindowSeconds"] / self._scale
        return [count for at, count in self._wanted if now - at <= window]

    def _limited(self, now: float, replicas: int, stable: int) -> int:
        if stable > replicas:
            return min(stable, max(self._limits(self._up, now, replicas, sign=1)))
        if stable < replicas:
            return max(stable, min(self._limits(self._down, now, replicas, sign=-1)))
        return replicas

    def _limits(
        self, behavior: Mapping[str, Any], now: float, replicas: int, *, sign: int
    ) -> list[int]:
        """How far each policy lets it go: from what there was when its period began."""
        assert behavior["selectPolicy"] == "Max"
        found = []
        for policy in behavior["policies"]:
            begin = now - policy["periodSeconds"] / self._scale
            before = replicas - sum(change for at, change in self._changes if at > begin)
            if policy["type"] == "Pods":
                found.append(before + sign * policy["value"])
            else:
                share = before * (1 + sign * policy["value"] / 100)
                found.append(math.ceil(share) if sign > 0 else math.floor(share))
        return found


def _most_of(replicas: int, readings: Iterable[Reading]) -> int:
    """What the neediest metric wants; while one is unknown, no fewer than there are."""
    wanted = [reading.wants() for reading in readings]
    known = [count for count in wanted if count is not None]
    if len(known) < len(wanted):
        known.append(replicas)
    return max(known)


def _is_close(ratio: float) -> bool:
    return abs(ratio - 1) <= TOLERANCE
