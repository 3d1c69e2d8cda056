"""The first lines of the results say how a reader gets them again, and on what they were taken."""

import sys
from pathlib import Path

import pytest

from benchmarks.report import (
    command_of,
    cpu_model,
    package_version,
    program_version,
    wire_server_version,
)
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


def test_a_programs_version_is_found_whichever_way_it_is_said() -> None:
    def saying(code: str) -> str:
        return program_version(sys.executable, "-c", f"import sys; {code}")

    assert saying("print('Redis server v=7.0.15 sha=0:0 bits=64')") == "7.0.15"
    assert saying("print('nginx version: nginx/1.22.1', file=sys.stderr)") == "1.22.1"
    assert saying("print('wrk debian/4.1.0-3 [epoll]'); sys.exit(1)") == "4.1.0"
    assert saying("print('?')") == "unknown"
    assert program_version("/nowhere/wrk", "-v") == "not found"
    assert package_version("no-such-package") == "not found"


def test_the_processor_is_named_where_linux_says_it(tmp_path: Path) -> None:
    said = tmp_path / "cpuinfo"
    said.write_text("processor\t: 0\nmodel name\t: Quick CPU @ 2.50GHz \ncache\t: 1\n")
    assert cpu_model(said) == "Quick CPU @ 2.50GHz"
    said.write_text("processor\t: 0\n")
    assert cpu_model(said) == "model unknown"
    assert cpu_model(tmp_path / "none") == "model unknown"


def test_the_wire_servers_version_is_that_of_its_pom() -> None:
    assert wire_server_version()[0].isdigit()
