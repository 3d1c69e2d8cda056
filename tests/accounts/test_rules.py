"""The table of rules: each is named once, used, documented, and means what it says."""

import re
from pathlib import Path

import pytest
from bson import ObjectId
from django.conf import settings

from accounts.principal import Principal
from accounts.roles import Role
from accounts.rules import RULES, Rule, Scope

ROOT = Path(settings.BASE_DIR)
APPS = ("accounts", "catalog", "carts", "ecommerce")
LEAST = {
    "anyone": None,
    "signed_in": Role.CUSTOMER,
    "reads_account": Role.CUSTOMER,
    "reads_cart": Role.CUSTOMER,
    "reads_users": Role.STAFF,
    "manages_users": Role.STAFF,
    "ends_sessions": Role.ADMIN,
    "sees_drafts": Role.STAFF,
    "manages_catalog": Role.STAFF,
    "reads_stock": Role.STAFF,
    "moves_stock": Role.STAFF,
    "sees_all_carts": Role.STAFF,
    "manages_all_carts": Role.STAFF,
    "reads_audit_log": Role.STAFF,
    "manages_api_keys": Role.ADMIN,
}
"""Written down a second time on purpose: whoever widens a rule must say so here too."""
SCOPES = {
    "reads_account": Scope.USERS_READ,
    "reads_users": Scope.USERS_READ,
    "reads_cart": Scope.CARTS_READ,
    "sees_all_carts": Scope.CARTS_READ,
    "sees_drafts": Scope.CATALOG_READ,
    "manages_catalog": Scope.CATALOG_WRITE,
    "reads_stock": Scope.STOCK_READ,
    "moves_stock": Scope.STOCK_WRITE,
    "reads_audit_log": Scope.AUDIT_READ,
}


def user(role: Role) -> Principal:
    return Principal(ObjectId(), "somebody", role)


def key(*scopes: Scope) -> Principal:
    return Principal(ObjectId(), "a key", None, scopes=frozenset(scopes))


def test_the_table_is_what_is_written_down_here() -> None:
    assert {name: rule.least for name, rule in RULES.items()} == LEAST
    assert {name: rule.scope for name, rule in RULES.items() if rule.scope} == SCOPES


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_lets_in_its_role_and_the_higher_ones_alone(rule: Rule) -> None:
    lowest = rule.least.rank if rule.least else 0
    assert [user(role).may(rule) for role in Role] == [role.rank >= lowest for role in Role]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_key_needs_the_very_scope(rule: Rule) -> None:
    assert [key(scope).may(rule) for scope in Scope] == [
        rule.is_public or scope is rule.scope for scope in Scope
    ]
    assert key().may(rule) is rule.is_public


def test_a_key_is_not_staff() -> None:
    assert not key(*Scope).is_staff


def sources() -> dict[str, str]:
    files = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    return {str(path.relative_to(ROOT)): path.read_text() for path in files}


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_used(name: str) -> None:
    users = [path for path, text in sources().items() if re.search(rf"\b{name.upper()}\b", text)]
    assert set(users) - {"accounts/rules.py"}


def test_nothing_but_the_rules_asks_for_a_role() -> None:
    asks = [
        path
        for path, text in sources().items()
        if re.search(r"(caller|user)\.(is_staff|role ?(==|is|in|!=))\b", text)
    ]
    assert asks == []


def test_the_security_document_has_the_table() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    for rule in RULES.values():
        assert f"| `{rule.name}` | {rule.who} | {rule.text} |" in text, "copy this row into it"
