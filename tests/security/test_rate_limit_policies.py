"""The table of limits: documented as it is, and those of tokens answer over HTTP as it says."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings as django_settings

from ecommerce.core.rate_limits import policies
from ecommerce.core.rate_limits.policies import POLICIES, Policy, policy_of_read
from tests.client import Answer, ApiClient, Person

BASE = Path(django_settings.BASE_DIR)
DOCUMENT = BASE / "docs" / "security.md"
SPENDS: Final = {"rate_limited", "spend", "spend_once", "spend_read", "allows"}
LONGEST_WAIT = 2 * 60
"""Seconds: in Redis the window slides, so that a quota of one is free after the next window."""


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_the_security_document_has_every_limit(policy: Policy) -> None:
    away = "per process" if policy.strict else "open"
    row = f"| `{policy.name}` | {policy.quota} | {policy.window} s | {policy.key} | {away} | "
    assert row in DOCUMENT.read_text(), "copy this row into it"


def test_the_security_document_has_no_other_limit() -> None:
    section = DOCUMENT.read_text().partition("\n## Rate limits\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert len(rows) == len(POLICIES)


def last_name(node: ast.AST) -> str:
    """Of `spend`, `limits.spend` and `limits.spend(…)`: spend."""
    return getattr(node, "attr", getattr(getattr(node, "func", node), "id", ""))


def calls() -> Iterator[ast.Call]:
    """Every call of something that counts, anywhere but in the package of the limits itself."""
    own = BASE / "ecommerce" / "core" / "rate_limits"
    for app in ("accounts", "carts", "catalog", "ecommerce"):
        for file in (BASE / app).rglob("*.py"):
            if own not in file.parents:
                for node in ast.walk(ast.parse(file.read_text())):
                    if isinstance(node, ast.Call) and last_name(node.func) in SPENDS:
                        yield node


@cache
def spent() -> set[str]:
    """Names of the policies that are handed to what counts."""
    given = {last_name(argument) for call in calls() for argument in call.args}
    found = {
        policy.name
        for name, policy in vars(policies).items()
        if isinstance(policy, Policy) and name in given
    }
    reads = {policy_of_read(query).name for query in ("", "q=lamp")}
    return found | (reads if policy_of_read.__name__ in given else set())


@pytest.mark.parametrize("name", POLICIES)
def test_every_limit_is_counted_somewhere(name: str) -> None:
    assert name in spent(), "it is documented, and can be set, and limits nothing"


def send_file(person: Person) -> Answer:
    row = b'{"name": "Lamp", "price": 5}\n'
    return person.api.send(
        "POST", "/products/imports", raw=row, content_type="application/x-ndjson"
    )


def test_files_taken_in_are_limited_for_each_caller_beside_their_writes(
    limits_on: None, settings: Any, sam: Person, ada: Person
) -> None:
    settings.RATE_LIMITS = {"imports": 1}
    taken, refused = send_file(sam), send_file(sam)
    assert taken.status == 202
    assert taken.headers["RateLimit-Policy"] == '"writes";q=300;w=60, "imports";q=1;w=3600'
    assert refused.outcome == (429, "rate_limited")
    assert refused.headers["RateLimit-Policy"] == '"writes";q=300;w=60, "imports";q=1;w=3600'
    assert 1 <= int(refused.headers["Retry-After"]) <= 2 * 3600
    assert len(sam.api.get("/products/imports")["items"]) == 1, "nothing of it was stored"
    assert send_file(ada).status == 202, "it was not used up for somebody else"


def renew(api: ApiClient, token: str) -> Answer:
    return api.form("/token", grant_type="refresh_token", refresh_token=token)


def test_renewals_are_limited_for_each_address(
    limits_on: None, settings: Any, alice: Person
) -> None:
    settings.RATE_LIMITS = {"renewals": 2}
    here, elsewhere = ApiClient(), ApiClient(address="192.0.2.1")
    assert [renew(here, "made.up.token").status for _ in range(2)] == [400, 400]
    refused = renew(here, alice.tokens.refresh_token)
    assert refused.outcome == (429, "temporarily_unavailable")
    assert refused.headers["RateLimit-Policy"] == '"renewals";q=2;w=60'
    assert 1 <= int(refused.headers["Retry-After"]) <= LONGEST_WAIT
    assert renew(elsewhere, alice.tokens.refresh_token).status == 200, "it was not used up"


def test_revocations_are_limited_for_each_address_and_then_end_nothing(
    limits_on: None, settings: Any, alice: Person
) -> None:
    settings.RATE_LIMITS = {"revocations": 1}
    here, elsewhere = ApiClient(), ApiClient(address="192.0.2.1")
    assert here.form("/token/revoke", token="made-up").status == 200
    refused = here.form("/token/revoke", token=alice.tokens.refresh_token)
    assert refused.outcome == (429, "temporarily_unavailable")
    assert 1 <= int(refused.headers["Retry-After"]) <= LONGEST_WAIT
    assert alice.api.get("/users/me").status == 200
    assert elsewhere.form("/token/revoke", token=alice.tokens.refresh_token).status == 200
    assert alice.api.get("/users/me").outcome == (401, "invalid_token")


def test_renewals_revocations_and_sign_ins_are_counted_apart(
    limits_on: None, settings: Any, alice: Person, anyone: ApiClient
) -> None:
    settings.RATE_LIMITS = {"renewals": 1, "revocations": 1, "login-address": 1}
    assert renew(anyone, "made.up.token").status == 400
    assert anyone.form("/token", username="alice", password="wrong-horse").status == 400
    assert anyone.form("/token/revoke", token="made-up").status == 200
