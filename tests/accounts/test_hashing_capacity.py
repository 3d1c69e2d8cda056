"""Hashing takes a bounded part of a process: a login storm leaves the catalog alone."""

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from statistics import median
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password

from accounts import capacity, login_limits, selectors
from accounts.capacity import GivingWay, Slots
from accounts.documents import RefreshFamily, User
from accounts.errors import BusyError
from accounts.login_limits import Attempt
from catalog.documents import ProductRow
from ecommerce.core.mongo import collection
from tests.client import PASSWORD, Answer, ApiClient, Person

pytestmark = pytest.mark.usefixtures("real_hashing")


def sign_in() -> Answer:
    return ApiClient().form("/token", username="alice", password=PASSWORD)


def test_no_more_hashes_run_at_once_than_there_are_slots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(capacity, "HASHING", GivingWay(2, wait=30))
    running, most, lock = 0, 0, threading.Lock()
    real = Argon2PasswordHasher.encode

    def counting(self: Any, *args: Any, **kwargs: Any) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            return real(self, *args, **kwargs)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(Argon2PasswordHasher, "encode", counting)
    with ThreadPoolExecutor(12) as pool:
        assert len(set(pool.map(lambda _: make_password(PASSWORD), range(24)))) == 24
    assert most == 2


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is a process's elsewhere")
def test_hashing_gives_way_to_every_other_thread() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, 0)

    own = niceness()
    assert capacity.HASHING.run(niceness) == min(own + 10, 19)
    assert niceness() == own, "of this thread too, else it could never take it back"


def test_where_niceness_is_forbidden_hashing_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_: int) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "nice", forbidden)
    monkeypatch.setattr(capacity, "HASHING", GivingWay(1, wait=1))
    assert check_password(PASSWORD, make_password(PASSWORD))


def test_what_hashing_raises_reaches_who_asked_and_frees_the_slot() -> None:
    hashing = GivingWay(1, wait=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            hashing.run(lambda: 1 // 0)
    assert hashing.run(lambda: "done") == "done"


def test_who_waits_too_long_is_told_to_come_again(
    alice: Person, limits_on: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = GivingWay(1, wait=0.05)
    monkeypatch.setattr(capacity, "HASHING", slots)
    families = collection(RefreshFamily).count_documents({})
    with slots.taken():
        answers = [sign_in() for _ in range(11)]
    for answer in answers:
        assert answer.outcome == (503, "temporarily_unavailable")
        assert answer.headers["Retry-After"] == "2"
    assert collection(RefreshFamily).count_documents({}) == families
    assert sign_in().status == 200, "and none of them counted as a failure"


def test_registering_too_is_told_to_come_again(
    anyone: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = GivingWay(1, wait=0.05)
    monkeypatch.setattr(capacity, "HASHING", slots)
    body = {"username": "zoe", "email": "zoe@example.com", "password": "blue-kettle-77"}
    with slots.taken():
        answer = anyone.post("/users/", body)
    assert answer.outcome == (503, "busy")
    assert answer.headers["Retry-After"] == "2"
    assert anyone.post("/users/", body).status == 201


def test_who_waits_while_somebody_else_gets_the_name_is_told_that(
    monkeypatch: pytest.MonkeyPatch, make_person: Callable[[str], Person]
) -> None:
    slots = GivingWay(1, wait=1)
    monkeypatch.setattr(capacity, "HASHING", slots)
    body = {"username": "carol", "email": "Alice@example.com", "password": "blue-kettle-77"}
    looked = threading.Event()
    real = selectors.taken_fields

    def look(**names: Any) -> list[str]:
        found = real(**names)
        looked.set()
        return found

    monkeypatch.setattr(selectors, "taken_fields", look)
    with slots.taken(), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: ApiClient().post("/users/", body))
        assert looked.wait(10), "the name was free, so the password is hashed"
        make_person("alice")
        answer = waiting.result()
    assert (answer.outcome, answer.pointers) == ((409, "duplicate_user"), ["/email"])


def test_64_who_register_one_address_at_once_are_one_201_and_63_409_with_one_hash_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(capacity, "HASHING", GivingWay(1, wait=60))
    body = {"email": "carol@example.com", "password": "blue-kettle-77"}

    def register(number: int) -> int:
        return ApiClient().post("/users/", {**body, "username": f"carol{number}"}).status

    with ThreadPoolExecutor(64) as pool:
        assert Counter(pool.map(register, range(64))) == {201: 1, 409: 63}
    assert collection(User).count_documents({"email_key": "carol@example.com"}) == 1


def test_more_logins_than_threads_may_wait_are_refused_at_once(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = Slots(3, wait=0)
    monkeypatch.setattr(capacity, "LOGINS", slots)
    with ExitStack() as three:
        for _ in range(3):
            three.enter_context(slots.taken())
        started = time.perf_counter()
        assert sign_in().outcome == (503, "temporarily_unavailable")
        assert time.perf_counter() - started < 1
    assert sign_in().status == 200


def test_a_login_that_is_refused_for_want_of_room_counts_as_no_attempt(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    real = login_limits.begin

    def counting(*, login: str, address: str) -> Attempt:
        begun.append(login)
        return real(login=login, address=address)

    monkeypatch.setattr(login_limits, "begin", counting)
    slots = Slots(1, wait=0)
    monkeypatch.setattr(capacity, "LOGINS", slots)
    with slots.taken():
        assert sign_in().outcome == (503, "temporarily_unavailable")
    assert begun == []
    assert sign_in().status == 200
    assert begun == ["alice"]


def test_a_slot_is_free_again_whatever_happened_inside() -> None:
    slots = Slots(1, wait=0)
    for _ in range(3):
        with pytest.raises(KeyError), slots.taken():
            raise KeyError
    with slots.taken(), pytest.raises(BusyError), slots.taken():
        pass


def test_two_threads_of_a_process_are_always_left() -> None:
    assert django_settings.LOGINS_AT_ONCE == 6
    assert capacity.HASHING_WAIT == 2.0
    assert login_limits.LONGEST_LOCK == 900


def test_the_catalog_answers_while_a_storm_of_logins_hashes(
    alice: Person, lamp: ProductRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "HASHING", GivingWay(1, wait=2))
    monkeypatch.setattr(capacity, "LOGINS", Slots(6, wait=0))
    over = threading.Event()

    def storm(_: int) -> list[int]:
        statuses = []
        while not over.is_set():
            statuses.append(sign_in().status)
            time.sleep(0.005)
        return statuses

    with ThreadPoolExecutor(16) as pool:
        stormers = [pool.submit(storm, number) for number in range(16)]
        taken = []
        for _ in range(40):
            started = time.perf_counter()
            assert ApiClient().get(f"/products/{lamp['_id']}").status == 200
            taken.append(time.perf_counter() - started)
        over.set()
        statuses = {status for stormer in stormers for status in stormer.result()}
    assert statuses == {200, 503}
    assert median(taken) < 0.25, sorted(taken)
