"""The first lines of the results say how a reader gets them again."""

from pathlib import Path

import pytest

from benchmarks.report import command_of
from benchmarks.rounds import ROUNDS, SECONDS, Scene


@pytest.mark.parametrize(
    ("rounds", "seconds", "command"),
    [
        (ROUNDS, SECONDS, "`make bench`"),
        (ROUNDS, 1, "`python -m benchmarks --seconds 1`"),
        (3, SECONDS, "`python -m benchmarks --rounds 3`"),
        (3, 1, "`python -m benchmarks --rounds 3 --seconds 1`"),
    ],
)
def test_options_that_are_not_those_of_make_bench_are_said(
    rounds: int, seconds: int, command: str
) -> None:
    scene = Scene("", "", rounds, seconds, Path())
    assert command_of(scene) == command
