"""Nobody learns by a clock whether an account exists: same answer, same work."""

import gc
import time
from statistics import median

import pytest

from tests.client import PASSWORD, ApiClient, Person

PAIRS = 200
TOLERANCE = 0.05
CASES = {
    "unknown": ("nobody", PASSWORD),
    "wrong": ("alice", "wrong-horse-9"),
    "inactive": ("bob", PASSWORD),
}


def medians(api: ApiClient, rounds: int) -> dict[str, float]:
    """Interleaved, so that a busy machine slows all of them alike; each round in another order."""
    taken: dict[str, list[float]] = {case: [] for case in CASES}
    names = list(CASES)
    for number in range(rounds):
        for case in names[number % 3 :] + names[: number % 3]:
            username, password = CASES[case]
            started = time.perf_counter()
            answer = api.form("/token", username=username, password=password)
            taken[case].append(time.perf_counter() - started)
            assert answer.outcome == (400, "invalid_grant")
    return {case: median(values) for case, values in taken.items()}


def spread(found: dict[str, float]) -> float:
    return max(found.values()) / min(found.values()) - 1


@pytest.mark.timeout(900)
def test_unknown_wrong_and_inactive_take_the_same_time(
    alice: Person, bob: Person, sam: Person, anyone: ApiClient
) -> None:
    assert sam.api.patch(f"/users/{bob.id}", {"is_active": False}).status == 200
    gc.disable()
    try:
        found = medians(anyone, PAIRS)
        if spread(found) > TOLERANCE:  # the machine had other things to do: look longer
            found = medians(anyone, 2 * PAIRS)
    finally:
        gc.enable()
    assert spread(found) <= TOLERANCE, found
    assert min(found.values()) > 0.005, "real hashing was at work"


def test_unknown_wrong_and_inactive_have_the_same_answer(
    alice: Person, bob: Person, sam: Person, anyone: ApiClient
) -> None:
    assert sam.api.patch(f"/users/{bob.id}", {"is_active": False}).status == 200
    answers = []
    for username, password in CASES.values():
        answer = anyone.form("/token", username=username, password=password)
        headers = {k: v for k, v in answer.headers.items() if k != "X-Request-ID"}
        answers.append((answer.status, answer.body, headers))
    assert answers[0] == answers[1] == answers[2]
