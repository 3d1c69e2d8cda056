"""Before a warm server is timed, all that will be asked for was asked for once."""

from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from benchmarks import load
from benchmarks.kinds import PROCESS_WARM
from benchmarks.load import Call, Sample, warm_up, write_calls
from benchmarks.servers import Server

LINES = 50


@pytest.mark.parametrize(
    ("in_a_second", "runs"), [(50, [1]), (49, [1, 2]), (10, [1, 2, 4, 8]), (1, [1, 2, 4, 8, 16])]
)
def test_runs_get_longer_until_one_comes_to_the_end_of_the_file(
    in_a_second: int, runs: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each begins at the first line: many short ones would never reach the last."""
    lasted: list[int] = []

    def measure(*_: Any, seconds: int, **__: Any) -> Sample:
        lasted.append(seconds)
        return Sample(in_a_second * seconds, seconds, 0.1, 1.0, 1.0)

    monkeypatch.setattr(load, "measure", measure)
    process: Popen[bytes] = Popen.__new__(Popen)  # none: nothing is asked
    warm_up(
        Server(PROCESS_WARM, "", process), write_calls([Call("GET", "/")] * LINES, tmp_path / "c")
    )
    assert lasted == runs
