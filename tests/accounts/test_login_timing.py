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


def time_all(api: ApiClient, rounds: int, taken: dict[str, list[float]]) -> None:
    """Interleaved, so that a busy machine slows all of them alike; each round in another order."""
    names = list(CASES)
    for number in range(rounds):
        for case in names[number % 3 :] + names[: number % 3]:
            username, password = CASES[case]
            started = time.perf_counter()
            answer = api.form("/token", username=username, password=password)
            taken[case].append(time.perf_counter() - started)
            assert answer.outcome == (400, "invalid_grant")


def spread(taken: dict[str, list[float]]) -> float:
    """How much longer the slowest takes than the quickest, by their medians."""
    medians = [median(values) for values in taken.values()]
    return max(medians) / min(medians) - 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_unknown_wrong_and_inactive_take_the_same_time(
    alice: Person, bob: Person, sam: Person, anyone: ApiClient, real_hashing: None
) -> None:
    for name in ("alice", "bob"):  # whose hashes are renewed by it
        assert anyone.form("/token", username=name, password=PASSWORD).status == 200
    assert sam.api.patch(f"/users/{bob.id}", {"is_active": False}).status == 200
    taken: dict[str, list[float]] = {case: [] for case in CASES}
    gc.disable()
    try:
        time_all(anyone, PAIRS, taken)
        if spread(taken) > TOLERANCE:  # the machine had other things to do: look longer
            time_all(anyone, 3 * PAIRS, taken)
    finally:
        gc.enable()
    assert spread(taken) <= TOLERANCE, {case: median(values) for case, values in taken.items()}
    assert min(map(median, taken.values())) > 0.005, "real hashing was at work"


def test_unknown_wrong_and_inactive_have_the_same_answer(
    alice: Person, bob: Person, sam: Person, anyone: ApiClient
) -> None:
    assert sam.api.patch(f"/users/{bob.id}", {"is_active": False}).status == 200
    answers = []
    for username, password in CASES.values():
        answer = anyone.form("/token", username=username, password=password)
        assert answer.outcome == (400, "invalid_grant")
        headers = {k: v for k, v in answer.headers.items() if k != "X-Request-ID"}
        answers.append((answer.status, answer.body, headers))
    assert answers[0] == answers[1] == answers[2]
