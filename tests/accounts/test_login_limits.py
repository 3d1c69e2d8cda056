"""Signing in too often: what is counted, how long it locks, and whom it never touches."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings as django_settings
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from accounts import login_limits
from accounts.capacity import Slots
from accounts.documents import AuditEvent
from accounts.hashers import ShopArgon2PasswordHasher
from accounts.login_limits import ACCOUNT, ADDRESS, PAIR, Bound
from ecommerce.core import rate_limits, shared_redis
from ecommerce.core.mongo import collection
from ecommerce.core.rate_limits import Policy
from tests.client import PASSWORD, Answer, ApiClient, Person

WRONG = "wrong-horse-9"


@pytest.fixture(autouse=True)
def _limits(limits_on: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every limit on; the one on all requests to sign in out of the way of those on failures."""
    wide = Policy("login-address", quota=10_000, window=60, key="address")
    for module in ("tokens", "browsable"):
        monkeypatch.setattr(f"accounts.views.{module}.LOGIN_PER_ADDRESS", wide)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Move the clock of caches and locks on by so many seconds."""
    if django_settings.REDIS_URL:
        pytest.skip("Redis goes by its own clock, which a test cannot move")
    ahead, real = [0.0], time.time
    monkeypatch.setattr("time.time", lambda: real() + ahead[0])

    def move(seconds: float) -> None:
        ahead[0] += seconds

    return move


def sign_in(
    password: str = PASSWORD, *, username: str = "alice", address: str = "192.0.2.1"
) -> Answer:
    return ApiClient(address=address).form("/token", username=username, password=password)


def fail(times: int, **whence: str) -> list[int]:
    return [sign_in(WRONG, **whence).status for _ in range(times)]


def wait_of(answer: Answer) -> int:
    return int(answer.headers["Retry-After"])


def test_after_ten_failures_the_right_password_waits_too(alice: Person) -> None:
    assert fail(10) == [400] * 10
    answer = sign_in()
    assert answer.outcome == (429, "temporarily_unavailable")
    assert 29 <= wait_of(answer) <= 30
    assert f"Try again in {wait_of(answer)} seconds" in answer["error_description"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_locked_attempt_hashes_nothing(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(10)

    def hashing(*_: Any, **__: Any) -> None:
        raise AssertionError("a password was hashed")

    monkeypatch.setattr(ShopArgon2PasswordHasher, "verify", hashing)
    monkeypatch.setattr(ShopArgon2PasswordHasher, "encode", hashing)
    assert fail(3) == [429] * 3


def test_each_lock_lasts_twice_as_long_up_to_fifteen_minutes(alice: Person, later: Any) -> None:
    fail(9)
    waits = []
    for _ in range(8):
        assert fail(1) == [400], "one attempt is granted"
        waits.append(wait_of(sign_in()))
        later(waits[-1] + 1)
    assert waits == pytest.approx([30, 60, 120, 240, 480, 900, 900, 900], abs=1)


def test_the_window_slides_no_boundary_gives_another_ten(alice: Person, later: Any) -> None:
    statuses = []
    for _ in range(20):
        statuses += fail(1)
        later(60)
    assert statuses[:10] == [400] * 10
    assert Counter(statuses[10:])[400] <= 4


def test_an_hour_without_an_attempt_forgets(alice: Person, later: Any) -> None:
    fail(10)
    later(3601)
    assert fail(9) == [400] * 9
    assert sign_in().status == 200


def test_a_success_clears_the_failures_of_both_names(alice: Person) -> None:
    fail(9)
    fail(9, username="ALICE@example.com")
    assert sign_in().status == 200
    assert fail(9) == [400] * 9
    assert fail(9, username="alice@example.com") == [400] * 9
    assert sign_in().status == 200


@pytest.mark.parametrize(
    "spelling", ["ALICE", " alice ", "\uff41\uff4c\uff49\uff43\uff45", "AlIcE"]
)
def test_no_spelling_gives_another_ten(spelling: str, alice: Person) -> None:
    fail(10)
    assert sign_in(username=spelling).outcome == (429, "temporarily_unavailable")


def test_another_account_at_the_same_address_is_free(alice: Person, bob: Person) -> None:
    fail(10)
    assert sign_in(username="bob").status == 200


def test_an_unknown_account_is_locked_like_a_known_one(alice: Person) -> None:
    assert fail(12, username="nobody") == fail(12) == [400] * 10 + [429] * 2


def test_32_guesses_at_once_are_no_more_than_ten(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.capacity.LOGINS", Slots(32, wait=0))
    with ThreadPoolExecutor(32) as pool:
        statuses = Counter(pool.map(lambda _: fail(1)[0], range(32)))
    assert statuses[400] <= 10
    assert statuses[400] + statuses[429] == 32


def test_guesses_from_many_addresses_lock_the_account(alice: Person) -> None:
    assert fail_from_everywhere(ACCOUNT.failures) == {400: ACCOUNT.failures}
    assert sign_in(address="192.0.2.200").outcome == (429, "temporarily_unavailable")


def fail_from_everywhere(times: int) -> Counter[int]:
    return Counter(fail(1, address=f"198.51.100.{number}")[0] for number in range(times))


def test_an_address_that_signed_in_before_is_not_locked_out_by_them(alice: Person) -> None:
    assert sign_in(address="203.0.113.5").status == 200
    fail_from_everywhere(ACCOUNT.failures + 1)
    assert sign_in(address="192.0.2.200").status == 429
    assert sign_in(address="203.0.113.5").status == 200
    assert sign_in(address="203.0.113.5", username="alice@example.com").status == 200


def test_a_known_address_may_not_guess_on(alice: Person) -> None:
    assert sign_in().status == 200
    assert fail(12) == [400] * 10 + [429] * 2


def test_guessing_at_many_accounts_locks_the_address(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_limits, "ADDRESS", Bound("address", 20))
    statuses = [fail(1, username=f"user{number}")[0] for number in range(22)]
    assert statuses == [400] * 20 + [429] * 2
    assert sign_in().outcome == (429, "temporarily_unavailable")
    assert sign_in(address="192.0.2.2").status == 200


def test_an_ipv6_site_is_one_address(alice: Person) -> None:
    statuses = [fail(1, address=f"2001:db8:1:2::{number}")[0] for number in range(12)]
    assert statuses == [400] * 10 + [429] * 2
    assert sign_in(address="2001:db8:1:3::1").status == 200


def test_successes_do_not_use_up_an_address(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_limits, "ADDRESS", Bound("address", 5))
    assert [sign_in().status for _ in range(8)] == [200] * 8


def test_an_own_account_does_not_buy_more_guesses_at_others(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_limits, "ADDRESS", Bound("address", 6))
    statuses = []
    for _ in range(4):
        statuses += fail(2)
        sign_in(username="bob")
    assert statuses == [400] * 6 + [429] * 2


@pytest.mark.parametrize("forwarded", ["1.2.3.{}", "{}, garbage", "2001:db8::{}", "x{}" * 500])
def test_an_invented_address_in_the_header_changes_nothing(forwarded: str, alice: Person) -> None:
    statuses = []
    for number in range(12):
        headers = {"X-Forwarded-For": forwarded.replace("{}", str(number))}
        form = f"username=alice&password={WRONG}".encode()
        answer = ApiClient().send(
            "POST", "/token", raw=form, content_type="application/x-www-form-urlencoded",
            headers=headers,
        )  # fmt: skip
        statuses.append(answer.status)
    assert statuses == [400] * 10 + [429] * 2


def test_behind_a_proxy_of_ours_what_stands_to_its_left_changes_nothing(
    alice: Person, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = 1
    form = f"username=alice&password={WRONG}".encode()

    def guess(forwarded: str) -> int:
        return (
            ApiClient()
            .send(
                "POST",
                "/token",
                raw=form,
                content_type="application/x-www-form-urlencoded",
                headers={"X-Forwarded-For": forwarded},
            )
            .status
        )

    invented = [f"1.2.3.{number}, " * (number + 1) for number in range(12)]
    statuses = [guess(f"{left}203.0.113.5") for left in invented]
    assert statuses == [400] * 10 + [429] * 2
    assert guess("203.0.113.5, 203.0.113.6") == 400, "another client of the proxy"


def test_guessing_touches_no_live_session(alice: Person) -> None:
    fail(12, address="127.0.0.1")
    fail_from_everywhere(ACCOUNT.failures)
    assert alice.api.get("/users/me").status == 200
    form = {"grant_type": "refresh_token", "refresh_token": alice.tokens.refresh_token}
    assert ApiClient().form("/token", **form).status == 200


def test_renewing_is_not_counted_with_signing_in(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Policy("login-address", quota=1, window=60, key="address")
    monkeypatch.setattr("accounts.views.tokens.LOGIN_PER_ADDRESS", one)
    assert (sign_in(WRONG).status, sign_in(WRONG).status) == (400, 429)
    form = {"grant_type": "refresh_token", "refresh_token": alice.tokens.refresh_token}
    assert ApiClient(address="192.0.2.1").form("/token", **form).status == 200


def test_the_page_counts_with_the_api(alice: Person) -> None:
    fail(9, address="127.0.0.1")
    fields = {"username": "alice", "password": WRONG}
    page = ApiClient()
    assert page.form("/auth/login/", **fields).status == 400
    answer = page.form("/auth/login/", **fields)
    assert answer.status == 429
    assert 1 <= wait_of(answer) <= 30
    assert b"Too many attempts to sign in have failed." in answer.body
    assert sign_in(address="127.0.0.1").status == 429


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[list[int]]:
    """The shared cache does not answer; how often it was asked."""
    asked: list[int] = []

    class Away:
        def __getattr__(self, name: str) -> Any:
            asked.append(1)
            raise RedisConnectionError("away")

    settings.REDIS_URL, settings.RESPONSE_CACHE = "redis://127.0.0.1:1/0", "off"
    monkeypatch.setattr("ecommerce.core.shared_cache.caches", {"limits": Away()})
    monkeypatch.setattr("ecommerce.core.shared_redis.redis", lambda _: Redis(port=1))
    monkeypatch.setattr(
        "ecommerce.core.rate_limits.counting.ask", lambda _, otherwise, __: otherwise
    )
    yield asked
    shared_redis.forget_outage()


def test_without_the_shared_cache_this_process_counts(away: list[int], alice: Person) -> None:
    assert fail(12) == [400] * 10 + [429] * 2
    assert sign_in(address="192.0.2.9").status == 200
    assert len(away) == 1, "a cache that is away is not asked again for some seconds"


def test_with_limits_off_nothing_is_counted(alice: Person, settings: Any) -> None:
    settings.RATE_LIMITS_ENABLED = False
    assert fail(15) == [400] * 15
    assert sign_in().status == 200


def events() -> list[tuple[str, Any, Any]]:
    rows = collection(AuditEvent).find({}).sort("_id", 1)
    return [(row["event"], row.get("subject_id"), row.get("details")) for row in rows]


def test_what_happens_is_recorded_and_locked_attempts_are_not(alice: Person) -> None:
    assert sign_in().status == 200
    fail(10)
    fail(20)
    me = alice.principal.id
    assert events() == [
        ("login", me, None),
        *[("login_failed", me, None)] * 10,
        ("login_locked", me, {"seconds": 30, "of": "pair"}),
    ]


def test_the_record_of_a_failure_holds_nothing_that_was_typed(alice: Person) -> None:
    sign_in("typed-secret-1", username="typed-secret-2")
    (row,) = collection(AuditEvent).find({})
    assert row["event"] == "login_failed"
    assert row["address"] == "192.0.2.1"
    assert row.keys() == {"_id", "event", "address", "request_id", "created_at"}


def test_the_bounds_are_what_the_document_says() -> None:
    assert [(b.name, b.failures) for b in (PAIR, ACCOUNT, ADDRESS)] == [
        ("pair", 10), ("account", 50), ("address", 100),
    ]  # fmt: skip
    assert rate_limits.LOGIN_PER_ADDRESS.quota == 30
