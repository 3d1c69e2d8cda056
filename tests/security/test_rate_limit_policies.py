"""The table of limits: documented as it is, and those of tokens answer over HTTP as it says."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from ecommerce.core.rate_limits.policies import POLICIES, Policy
from tests.client import Answer, ApiClient, Person

DOCUMENT = Path(django_settings.BASE_DIR) / "docs" / "security.md"
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
