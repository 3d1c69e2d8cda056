"""What hot paths cost in CPU, beside a gunicorn that does nothing: found in one run, as ratios.

CPU time and not time on the clock, in interleaved rounds, by the median: what else the machine does
meets both. The limits are about two thirds of what a quiet machine gives: the rest is for noise.
"""

import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.servers import ROOT
from tests.live.conftest import missing

pytestmark = [pytest.mark.cpu, pytest.mark.timeout(600)]
UNCACHED = "GET product, uncached"
AT_LEAST = {
    "GET product, process-warm": 0.40,
    "GET product, Redis-warm": 0.24,
    UNCACHED: 0.17,
    "list of 20, uncached": 0.12,
    "add to cart, own carts of 1 line": 0.057,
}
"""Our rate as a share of the bare server's."""


def measured(*options: str) -> dict[str, float]:
    if absent := [name for name in ("wrk", "redis-server", "taskset") if not shutil.which(name)]:
        missing(f"{absent} not found: apt-get install wrk redis-server util-linux")
    command = [sys.executable, "-m", "benchmarks.guard", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_five_hot_paths_cost_no_more_than_they_did() -> None:
    rates = measured()
    assert rates.keys() == AT_LEAST.keys()
    assert {path: rate for path, rate in rates.items() if rate < AT_LEAST[path]} == {}, rates


def test_the_limit_finds_a_request_that_computes_what_nobody_needs() -> None:
    """So that the test above is one that can fail."""
    rates: dict[str, Any] = measured("--slowed")
    assert list(rates) == [UNCACHED]
    assert rates[UNCACHED] < AT_LEAST[UNCACHED]
