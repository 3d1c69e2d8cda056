"""Races over accounts between separate server processes, over HTTP."""

import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.live.server import LiveServer, Reply

pytestmark = pytest.mark.wire
PASSWORD = "blue-kettle-77"


def new_name() -> str:
    return f"u{uuid.uuid4().hex}"


def register(cluster: LiveServer, username: str, email: str) -> Reply:
    """One attempt. A server that hashes enough passwords says so, and is asked again."""
    body = {"username": username, "email": email, "password": PASSWORD}
    while (reply := cluster.send("POST", "/users/", body)).status == 503:
        assert reply.json()["code"] == "busy"
        time.sleep(float(reply.headers["Retry-After"]))
    return reply


def at_once(count: int, work: Any) -> list[Reply]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


@pytest.mark.parametrize("spelling", [str.lower, str.upper])
def test_of_64_registrations_of_one_address_one_is_made(spelling: Any, cluster: LiveServer) -> None:
    address = f"{new_name()}@example.com"
    replies = at_once(
        64,
        lambda n: register(cluster, new_name(), spelling(address) if n % 2 else address),
    )
    assert Counter(reply.status for reply in replies) == {201: 1, 409: 63}
    refusals = [reply.json() for reply in replies if reply.status == 409]
    assert {(refusal["code"], refusal["errors"][0]["pointer"]) for refusal in refusals} == {
        ("duplicate_user", "/email")
    }


def test_a_swap_of_two_names_loses_neither(cluster: LiveServer) -> None:
    names = [new_name(), new_name()]
    for name in names:
        assert register(cluster, name, f"{name}@example.com").status == 201
    people = [cluster.sign_in(name, PASSWORD) for name in names]
    for _ in range(8):
        replies = at_once(
            16, lambda n: people[n % 2].send("PATCH", "/users/me", {"username": names[1 - n % 2]})
        )
        assert {reply.status for reply in replies} <= {200, 409}
        held = [person.send("GET", "/users/me").json()["username"] for person in people]
        assert held in (names, names[::-1])


def test_a_name_that_was_freed_is_taken_once(cluster: LiveServer) -> None:
    freed, newer = new_name(), new_name()
    assert register(cluster, freed, f"{freed}@example.com").status == 201
    holder = cluster.sign_in(freed, PASSWORD)

    def rename_or_register(number: int) -> Reply:
        if number == 0:
            return holder.send("PATCH", "/users/me", {"username": newer})
        return register(cluster, freed, f"{new_name()}@example.com")

    renamed, *others = at_once(32, rename_or_register)
    assert renamed.status == 200
    taken = Counter(reply.status for reply in others)
    assert taken[201] <= 1
    assert taken[201] + taken[409] == 31


def test_32_uses_of_one_refresh_token_are_one_exchange(cluster: LiveServer) -> None:
    form = {"username": "demo", "password": "demo-shop-2026"}
    token = cluster.send("POST", "/token", form=form).json()["refresh_token"]
    renewal = {"grant_type": "refresh_token", "refresh_token": token}
    replies = at_once(32, lambda _: cluster.send("POST", "/token", form=renewal))
    assert {reply.status for reply in replies} == {200}
    (successor,) = {reply.json()["refresh_token"] for reply in replies}
    renewal["refresh_token"] = successor
    assert cluster.send("POST", "/token", form=renewal).status == 200


def test_a_session_ended_in_one_process_is_out_in_all(cluster: LiveServer) -> None:
    person = cluster.sign_in("demo", "demo-shop-2026")
    assert cluster.send("POST", "/token/revoke", form={"token": person.token}).status == 200
    replies = at_once(16, lambda _: person.send("GET", "/users/me"))
    assert {reply.status for reply in replies} == {401}
