"""Threads of the server that look for work: woken, stopped, and stopped together."""

from collections.abc import Iterator
from threading import Event
from time import monotonic

import pytest

from ecommerce.core.periodic import Periodic

LONG = 60.0


class Work:
    """Says when it is looked for, and takes a while to come back once it is to end."""

    def __init__(self, *, ends_after: float = 0.0) -> None:
        self.begun = Event()
        self.looks = 0
        self._ends_after = ends_after

    def __call__(self, stopping: Event) -> None:
        self.looks += 1
        self.begun.set()
        if self._ends_after:
            stopping.wait(LONG)
            Event().wait(self._ends_after)


@pytest.fixture
def started() -> Iterator[list[Periodic]]:
    threads: list[Periodic] = []
    yield threads
    for thread in threads:
        thread.stop()


def test_work_is_looked_for_at_the_start_and_when_it_is_woken(started: list[Periodic]) -> None:
    work = Work()
    thread = Periodic("looks", work, seconds=LONG)
    started.append(thread)

    thread.start()
    assert work.begun.wait(5)
    work.begun.clear()
    thread.wake()

    assert work.begun.wait(5)
    assert work.looks == 2


def test_threads_asked_together_end_in_the_time_of_one(started: list[Periodic]) -> None:
    works = [Work(ends_after=1.0), Work(ends_after=1.0)]
    for number, work in enumerate(works):
        started.append(Periodic(f"work {number}", work, seconds=LONG))
        started[-1].start()
        assert work.begun.wait(5)

    began = monotonic()
    for thread in started:
        thread.ask_to_stop()
    for thread in started:
        thread.stop()

    assert 1.0 <= monotonic() - began < 1.9


def test_what_does_not_end_is_left_after_the_seconds(started: list[Periodic]) -> None:
    work = Work(ends_after=1.0)
    thread = Periodic("slow work", work, seconds=LONG)
    started.append(thread)
    thread.start()
    assert work.begun.wait(5)

    began = monotonic()
    thread.stop(seconds=0.1)

    assert 0.1 <= monotonic() - began < 0.9
