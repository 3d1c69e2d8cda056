"""Work that no answer waits for: done once, its faults logged, its amount bounded."""

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest

from ecommerce.core import background
from ecommerce.core.background import run_later, wait_until_idle
from ecommerce.core.request_ids import current_request_id
from tests.client import ApiClient


def test_it_is_done_and_nobody_waits() -> None:
    may_end, done = Event(), list[int]()
    run_later("work", lambda: done.append(int(may_end.wait(10))))
    assert done == []
    assert not wait_until_idle(0.01)
    may_end.set()
    assert wait_until_idle(10)
    assert done == [1]


def test_what_no_thread_can_be_started_for_is_done_at_once_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The pool has queued it by then, and a thread that starts later finds it there."""

    def refuse(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    done: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(background, "_pool", pool)
        with monkeypatch.context() as full:
            full.setattr(Thread, "start", refuse)
            run_later("first", lambda: done.append(1))
        assert done == [1]
        run_later("second", lambda: done.append(2))
        assert wait_until_idle(10)
    assert done == [1, 2]


def test_what_comes_when_the_pool_takes_nothing_more_is_done_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[int] = []
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    monkeypatch.setattr(background, "_pool", pool)
    run_later("work", lambda: done.append(1))
    assert done == [1]


def test_what_the_work_hands_over_is_waited_for_too() -> None:
    done: list[int] = []
    run_later("outer", lambda: run_later("inner", lambda: done.append(1)))
    assert wait_until_idle(10)
    assert done == [1]


def test_a_fault_is_logged_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    done: list[int] = []
    run_later("division", lambda: done.append(1 // 0))
    run_later("work", lambda: done.append(1))
    assert wait_until_idle(10)
    assert done == [1]
    assert "division failed" in caplog.text


def test_it_runs_under_the_id_of_its_request(
    monkeypatch: pytest.MonkeyPatch, anyone: ApiClient
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(
        "accounts.services.password_resets._send_link",
        lambda *_: seen.append(current_request_id()),
    )
    anyone.post("/password-reset", {"email": "a@example.com"}, X_Request_ID="reset-12345")
    assert wait_until_idle(10)
    assert seen == ["reset-12345"]


def test_more_than_can_wait_is_dropped_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background, "_MAX_WAITING", 3)
    may_end, done = Event(), list[int]()
    with caplog.at_level(logging.ERROR):
        for number in range(5):
            run_later(f"work {number}", lambda: done.append(int(may_end.wait(10))))
    may_end.set()
    assert wait_until_idle(10)
    assert done == [1, 1, 1]
    assert [record.getMessage() for record in caplog.records] == [
        "work 3 is dropped: 3 pieces of work are waiting",
        "work 4 is dropped: 3 pieces of work are waiting",
    ]
