"""Limits: the headers on counted answers, the 429, and what happens without the cache."""

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.client import ApiClient, Person


def test_a_counted_answer_says_how_much_is_left(limits_on: None, alice: Person) -> None:
    answer = alice.api.post("/shopping-carts/", {})
    assert answer.headers["RateLimit-Policy"] == '"writes";q=300;w=60'
    assert answer.headers["RateLimit"].startswith('"writes";r=299;t=')


def test_each_caller_has_their_own_count(limits_on: None, alice: Person, bob: Person) -> None:
    alice.api.post("/shopping-carts/", {})
    answer = bob.api.post("/shopping-carts/", {})
    assert answer.headers["RateLimit"].startswith('"writes";r=299;')


def test_beyond_the_limit_is_a_429_problem(limits_on: None, anyone: ApiClient) -> None:
    for _ in range(20):
        anyone.post("/users/", {})
    answer = anyone.post("/users/", {})
    assert answer.outcome == (429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    assert f"Try again in {answer.headers['Retry-After']} seconds" in answer["detail"]
    assert answer.headers["RateLimit"].startswith('"registration";r=0;')


def test_reading_is_not_counted(limits_on: None, anyone: ApiClient) -> None:
    assert "RateLimit" not in anyone.get("/products/").headers


def test_without_the_cache_the_shop_stays_open(
    limits_on: None, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise RedisConnectionError("away")

    monkeypatch.setattr("ecommerce.core.rate_limits.get_usage", away)
    assert alice.api.post("/shopping-carts/", {}).status == 201
