"""Mixed load for long: memory, files and answers at the end are as they were (make soak)."""

import os
import time
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.ops.fleet import manage
from tests.ops.linked_shop import LinkedShop

SECONDS: Final = int(os.environ.get("SOAK_SECONDS", "20"))
MEGABYTES_MORE: Final = 30
"""How much a process may grow in the second half: what is kept is bounded."""
FILES_MORE: Final = 20
"""How many files and connections it may have more: pools are bounded."""
pytestmark = [
    pytest.mark.ops, pytest.mark.wire, pytest.mark.redis, pytest.mark.timeout(240 + 2 * SECONDS),
]  # fmt: skip


def megabytes(pid: str) -> float:
    """What a process has in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def files(pid: str) -> int:
    """How many files and connections a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_a_long_load_leaves_memory_files_and_data_as_they_should_be(
    linked_shop: LinkedShop,
) -> None:
    crowd = linked_shop.crowd()
    workers = sorted(linked_shop.processes())
    with crowd.running():
        time.sleep(SECONDS / 2)
        before = {pid: (megabytes(pid), files(pid)) for pid in workers}
        time.sleep(SECONDS / 2)
        after = {pid: (megabytes(pid), files(pid)) for pid in workers}
    assert sorted(linked_shop.processes()) == workers

    statuses = Counter(seen.status for seen in crowd.seen)
    assert set(statuses) <= {200, 201, 409}, statuses
    assert statuses.total() > 5 * SECONDS
    for pid in workers:
        assert after[pid][0] - before[pid][0] < MEGABYTES_MORE, (before, after)
        assert after[pid][1] - before[pid][1] < FILES_MORE, (before, after)
    manage(linked_shop.server._environment, "verify_invariants")
    print(f"{statuses} in {SECONDS} s; {before} -> {after}")  # noqa: T201 - the figures of a night
