"""A shop's mixed traffic as an open loop, and catalog reads beside a storm of logins."""

import json
import os
import random
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.dataset import PASSWORD, Dataset
from benchmarks.goals import Finding, Verdict
from benchmarks.kinds import PROCESS_WARM
from benchmarks.load import Call, measure, warm_up, write_calls, wrk
from benchmarks.rounds import Scene, environment_of
from benchmarks.servers import LOAD_CORE, ROOT, Server, running
from benchmarks.workloads import add_calls, login_calls, product_calls, search_calls

_SHARES: Final = (0.60, 0.15, 0.20, 0.05)
"""Reads of products, searches, adds to carts, logins."""
_REQUESTS: Final = 20_000
_LOADS: Final = (0.5, 0.8)
_READS_IN_A_SECOND: Final = 150
_STORM_CLIENTS: Final = 8
_AT_MOST: Final = 2.0
_BUSY: Final = (200, 503)
"""More logins at once than a process has room for are refused, so that reads go on."""
_AHEAD: Final = ("nice", "-n", "-5") if os.geteuid() == 0 else ()
"""The open loop shares its core with the database, Redis and wrk: what it waits for that core is no
latency of the server. Others than root may not ask for it."""
_COLUMNS: Final = (
    "| | p50 ms | p99 ms | p99, lowest and highest round | refused |",
    "| --- | ---: | ---: | ---: | ---: |",
)


@dataclass(frozen=True)
class Latency:
    """Of an open loop, in milliseconds."""

    p50: float
    p99: float
    refused: float
    """Share of the requests: more logins at once than a process has room for are answered 503."""


@dataclass(frozen=True)
class Logins:
    """What became of them, in a second each."""

    answered: float
    refused: float


def journey(data: Dataset, *, logins: bool = True) -> list[Call]:
    """Mixed calls in random order, the same in every run."""
    chance = random.Random(2)
    kinds = [
        product_calls(data, PROCESS_WARM), search_calls(data, PROCESS_WARM),
        add_calls(1)(data, PROCESS_WARM), login_calls(PASSWORD)(data, PROCESS_WARM),
    ]  # fmt: skip
    weights = [*_SHARES[:3], _SHARES[3] if logins else 0]
    return [chance.choice(calls) for calls in chance.choices(kinds, weights, k=_REQUESTS)]


def warm_searches(server: Server, data: Dataset, scene: Scene) -> None:
    """One after the other: a database that scans for them has no time for all at once."""
    words = write_calls(search_calls(data, PROCESS_WARM), scene.folder / "words")
    warm_up(server, words, connections=1)


def open_loop(server: Server, calls: Path, *, rate: float, seconds: float) -> Latency:
    """Ask at this mean rate, on the core of the load."""
    command = [*_AHEAD, "taskset", "-c", LOAD_CORE, sys.executable, "-m", "benchmarks.open_loop"]
    command += [server.base.removeprefix("http://"), str(calls), str(rate), str(seconds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return Latency(found["p50"], found["p99"], found["refused"] / found["requests"])


def mixed(scene: Scene, data: Dataset) -> Finding:
    """Latency at shares of the peak."""
    with running(PROCESS_WARM, environment_of(PROCESS_WARM, scene)) as server:
        calls = write_calls(journey(data), scene.folder / "journey")
        warm_searches(server, data, scene)
        measure(server, calls, seconds=2, statuses=_BUSY)
        data.empty_lines(scene.uri)
        top = measure(server, calls, seconds=3, statuses=_BUSY)
        peak = top.requests / top.seconds
        found: dict[float, list[Latency]] = {share: [] for share in _LOADS}
        for _ in range(scene.rounds):
            for share in _LOADS:
                data.empty_lines(scene.uri)
                latency = open_loop(server, calls, rate=share * peak, seconds=2)
                found[share].append(latency)
    lines = [
        ("60 % reads of products, 15 % searches, 20 % adds to carts, 5 % logins. Peak: wrk, 8 "
        f"connections, each waiting for its answer: {peak:.0f} requests in a second. The others: "
        "`benchmarks/open_loop.py` (wrk has no open loop), timed from the moment a request was "
        "due."), "", *_COLUMNS,
        *(_latency_row(f"{share:.0%} of peak", found[share]) for share in _LOADS),
    ]  # fmt: skip
    return Finding("A mixed journey", lines)


def _latency_row(name: str, rounds: Sequence[Latency]) -> str:
    p50 = statistics.median(one.p50 for one in rounds)
    tails = [one.p99 for one in rounds]
    spread = f"{min(tails):.1f} - {max(tails):.1f}"
    refused = max(one.refused for one in rounds)
    return f"| {name} | {p50:.1f} | {statistics.median(tails):.1f} | {spread} | {refused:.1%} |"


def storm(scene: Scene, data: Dataset) -> Finding:
    """Reads of products while others sign in as fast as they are answered, and without."""
    with running(PROCESS_WARM, environment_of(PROCESS_WARM, scene)) as server:
        reads = write_calls(product_calls(data, PROCESS_WARM), scene.folder / "reads")
        forms = write_calls(login_calls(PASSWORD)(data, PROCESS_WARM), scene.folder / "forms")
        warm_up(server, reads)
        quiet, stormy, logins = list[Latency](), list[Latency](), list[Logins]()
        for _ in range(scene.rounds):
            quiet.append(open_loop(server, reads, rate=_READS_IN_A_SECOND, seconds=2))
            with _logins(server, forms, logins):
                stormy.append(open_loop(server, reads, rate=_READS_IN_A_SECOND, seconds=2))
    ratio = statistics.median(s.p99 / q.p99 for s, q in zip(stormy, quiet, strict=True))
    lines = [
        (f"{_READS_IN_A_SECOND} reads of products in a second as an open loop, and the same while "
        f"{_STORM_CLIENTS} clients sign in without a pause, on the same one worker and one core. "
        f"{_said_of_client()}"),
        "", *_COLUMNS,
        _latency_row("quiet", quiet), _latency_row("during a storm of logins", stormy), "",
        said_of_logins(logins),
    ]  # fmt: skip
    verdict = Verdict(
        "catalog reads during a storm of logins", f"p99 at most {_AT_MOST:g} x that without",
        f"{ratio:.2f}", ratio <= _AT_MOST,
    )  # fmt: skip
    return Finding("A storm of logins beside catalog reads", lines, [verdict])


def said_of_logins(rounds: Sequence[Logins]) -> str:
    """Of the storm itself, median of the rounds."""
    answered = statistics.median(one.answered for one in rounds)
    refused = statistics.median(one.refused for one in rounds)
    return (
        f"Of the logins, {answered:.0f} in a second were answered and {refused:.0f} were refused "
        "(503), by clients that ask again at once and not after `Retry-After`."
    )


def _said_of_client() -> str:
    place = "The open loop shares the other core with wrk, the database and Redis"
    return f"{place}, and goes before them (niceness -5)." if _AHEAD else f"{place}."


@contextmanager
def _logins(server: Server, forms: Path, found: list[Logins]) -> Iterator[None]:
    """Sign in while the context lasts; what became of it is added to what was found."""
    command = wrk(forms, server.base, seconds=60, connections=_STORM_CLIENTS)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)  # it says what it did so far
            out, _ = process.communicate()
    found.append(logins_of(out))


def logins_of(out: str) -> Logins:
    """What wrk says of logins: those that have another status than 200 were refused."""
    said: dict[str, Any] = json.loads(out.rpartition("RESULT ")[2])
    refused, seconds = said["unexpected"], said["seconds"]
    return Logins((said["requests"] - refused) / seconds, refused / seconds)
