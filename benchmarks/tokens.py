"""`/token` beside the password hash that it must compute: `python -m benchmarks.tokens` is the hash
alone."""

import json
import statistics
import subprocess
import sys
import time
from typing import Any, Final

from benchmarks.dataset import PASSWORD, Dataset
from benchmarks.goals import Finding, Verdict
from benchmarks.kinds import UNCACHED
from benchmarks.load import measure, write_calls
from benchmarks.rounds import Scene, environment_of
from benchmarks.servers import ROOT, SERVER_CORE, running
from benchmarks.workloads import login_calls

_AT_MOST: Final = 1.15
_HASHES: Final = 25


def finding(scene: Scene, data: Dataset) -> Finding:
    """CPU of a right login and of the hash alone, in turn; one login at a time."""
    pairs = []
    with running(UNCACHED, environment_of(UNCACHED, scene)) as server:
        calls = write_calls(login_calls(PASSWORD)(data, UNCACHED), scene.folder / "tokens")
        measure(server, calls, seconds=1, connections=1)
        for _ in range(scene.rounds):
            sample = measure(server, calls, seconds=scene.seconds, connections=1)
            pairs.append((sample.cpu_per_request, _raw_hash()))
    login, raw = (statistics.median(figures) for figures in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for one, other in pairs)
    lines = [
        "| | CPU µs |", "| --- | ---: |", f"| POST /token, right | {login:.0f} |",
        f"| argon2id alone, the same parameters | {raw:.0f} |",
    ]  # fmt: skip
    verdict = Verdict(
        "POST /token", f"at most {_AT_MOST:g} x the raw hash", f"{ratio:.2f}", ratio <= _AT_MOST
    )
    return Finding("A login and its hash", lines, [verdict])


def _raw_hash() -> float:
    command = ["taskset", "-c", SERVER_CORE, sys.executable, "-m", "benchmarks.tokens"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return float(found["microseconds"])


def main() -> None:
    """CPU of checking one password, as JSON."""
    from argon2 import PasswordHasher

    hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
    stored = hasher.hash(PASSWORD)
    hasher.verify(stored, PASSWORD)
    begun = time.process_time()
    for _ in range(_HASHES):
        hasher.verify(stored, PASSWORD)
    spent = time.process_time() - begun
    json.dump({"microseconds": spent / _HASHES * 1e6}, sys.stdout)


if __name__ == "__main__":
    main()
