"""Limits: the headers on counted answers, the 429, and what happens without the cache."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from prometheus_client import REGISTRY
from redis import Redis
from redis.exceptions import OutOfMemoryError

from ecommerce.core import shared_redis
from ecommerce.core.rate_limits import READS, check_quotas, counting, spend_read
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
    # It slides: of 20 in the last hour by the clock, one has gone after a twentieth of this one.
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600 + 3600 / 20
    assert f"Try again in {answer.headers['Retry-After']} seconds" in answer["detail"]
    assert answer.headers["RateLimit"].startswith('"registration";r=0;')


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/products/", '"reads";q=1200;w=60'),
        ("/products/?limit=1", '"reads";q=1200;w=60'),
        ("/products/facets", '"reads";q=1200;w=60'),
        ("/categories/", '"reads";q=1200;w=60'),
        ("/products/?q=lamp", '"search";q=300;w=60'),
        ("/products/?limit=1&%71=lamp", '"search";q=300;w=60'),
        ("/products/suggest?q=l", '"search";q=300;w=60'),
    ],
)
def test_reads_are_counted_and_searches_apart(
    limits_on: None, path: str, policy: str, anyone: ApiClient
) -> None:
    first, second = anyone.get(path), anyone.get(path)
    assert first.headers["RateLimit-Policy"] == policy
    left = [int(answer.headers["RateLimit"].split(";")[1][2:]) for answer in (first, second)]
    assert left[1] == left[0] - 1


def test_an_operator_may_set_another_quota(
    limits_on: None, anyone: ApiClient, settings: Any
) -> None:
    settings.RATE_LIMITS = {"reads": 2}
    answers = [anyone.get("/products/") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2]["code"] == "rate_limited"
    assert answers[2].headers["RateLimit-Policy"] == '"reads";q=2;w=60'


def test_a_quota_for_a_limit_that_does_not_exist_ends_the_start(settings: Any) -> None:
    settings.RATE_LIMITS = {"raeds": 2}
    with pytest.raises(ImproperlyConfigured, match="RATE_LIMITS names raeds; the limits are"):
        check_quotas()


def test_ipv6_neighbours_of_one_site_share_a_count(limits_on: None) -> None:
    addresses = ("2001:db8:1:2::7", "2001:db8:1:2:ffff::9", "2001:db8:1:3::7")
    usages = [spend_read({"REMOTE_ADDR": address}, READS) for address in addresses]
    assert [usage.remaining for usage in usages if usage] == [1199, 1198, 1199]


@pytest.fixture
def redis_is_away(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """REDIS_URL is set, and nobody listens there."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.RESPONSE_CACHE = "off"
    for module in (counting, shared_redis):
        monkeypatch.setattr(module, "redis", lambda _: Redis(port=1, socket_connect_timeout=0.1))
    shared_redis.forget_outage()
    yield
    shared_redis.forget_outage()


def test_while_redis_is_away_the_shop_stays_open(
    limits_on: None, redis_is_away: None, alice: Person, settings: Any
) -> None:
    settings.RATE_LIMITS = {"writes": 1, "reads": 1}
    for _ in range(3):
        assert alice.api.post("/shopping-carts/", {}).status == 201
        assert alice.api.get("/products/").status == 200


def test_a_redis_that_refuses_is_logged_once_a_second_and_counted_each_time(
    redis_is_away: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full, it refuses every write: of each request, that is."""

    def refuse() -> bool:
        raise OutOfMemoryError("OOM command not allowed when used memory > 'maxmemory'.")

    asked = ("shop_redis_failures_total", {"kind": "refused"})
    before = REGISTRY.get_sample_value(*asked) or 0
    assert [shared_redis.ask(refuse, False) for _ in range(5)] == [False] * 5
    assert (REGISTRY.get_sample_value(*asked) or 0) - before == 5
    said = [record.getMessage() for record in caplog.records]
    assert said == ["Redis refuses: OOM command not allowed when used memory > 'maxmemory'."]
    monkeypatch.setattr(shared_redis, "_SAID_EVERY", 0.0)
    for _ in range(2):
        shared_redis.ask(refuse, False)
    assert len(caplog.records) == 3


def test_while_redis_is_away_this_process_counts_what_guards_accounts(
    limits_on: None, redis_is_away: None, anyone: ApiClient
) -> None:
    outcomes = [anyone.post("/users/", {}).status for _ in range(22)]
    assert outcomes == [400] * 20 + [429] * 2
