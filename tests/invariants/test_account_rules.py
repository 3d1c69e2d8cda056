"""Each rule of accounts: what breaks it is reported by it alone, and mended where that is safe."""

from datetime import timedelta
from typing import Any, Final

import pytest
from bson import ObjectId

from accounts.documents import ApiKey, AuditEvent, MailToken, RefreshFamily, User
from carts.documents import ShoppingCart
from ecommerce.core.mongo import collection, utc_now
from tests.invariants.shop import Breakage, Shop, broken, check, drop, put, stored


def family(shop: Shop) -> Any:
    """Alice's session."""
    row = collection(RefreshFamily).find_one({"user_id": shop.alice})
    assert row is not None
    return row


def of_nobody(shop: Shop) -> str:
    return put(RefreshFamily, family(shop)["_id"], user_id=ObjectId())


def ends_before_it_begins(shop: Shop) -> str:
    row = family(shop)
    return put(RefreshFamily, row["_id"], created_at=row["expires_at"] + timedelta(days=1))


def session_is_gone(shop: Shop) -> bool:
    return collection(RefreshFamily).find_one({"user_id": shop.alice}) is None


def ended_twice(shop: Shop) -> str:
    ended = {"session_id": ObjectId(), "until": family(shop)["expires_at"]}
    return put(User, shop.alice, ended_sessions=[ended, ended])


BREAKAGES: Final = [
    Breakage(
        "users.keys",
        "another name",
        lambda shop: put(User, shop.alice, username="Alicia"),
        lambda shop: (stored(User, shop.alice) or {})["username_key"] == "alicia",
    ),
    Breakage(
        "users.keys",
        "a key that is not normalised",
        lambda shop: put(User, shop.alice, email_key="Alice@Example.com"),
        lambda shop: (stored(User, shop.alice) or {})["email_key"] == "alice@example.com",
    ),
    Breakage(
        "users.keys",
        "a waiting address without its key",
        lambda shop: put(User, shop.alice, pending_email="New@example.com"),
        lambda shop: (stored(User, shop.alice) or {})["pending_email_key"] == "new@example.com",
    ),
    Breakage(
        "users.sessions",
        "a session kept from a version to come",
        lambda shop: put(
            User, shop.alice, kept_session={"session_id": ObjectId(), "token_version": 9}
        ),
        lambda shop: "kept_session" not in (stored(User, shop.alice) or {}),
    ),
    Breakage("users.sessions", "a session that ended twice", ended_twice),
    Breakage(
        "users.erased",
        "an erasure that was interrupted",
        lambda shop: put(User, shop.bob, erasing_at=utc_now() - timedelta(minutes=2)),
        lambda shop: (
            stored(User, shop.bob) is None and stored(ShoppingCart, shop.other_cart) is None
        ),
    ),
    Breakage("refresh_families.owner", "no such user", of_nobody, session_is_gone),
    Breakage(
        "refresh_families.owner",
        "ahead of its user",
        lambda shop: put(RefreshFamily, family(shop)["_id"], token_version=7),
        session_is_gone,
    ),
    Breakage(
        "refresh_families.hashes",
        "a token as it is",
        lambda shop: put(RefreshFamily, family(shop)["_id"], current_hash="secret"),
    ),
    Breakage("refresh_families.ends", "before it begins", ends_before_it_begins, session_is_gone),
    Breakage(
        "mail_tokens.owner",
        "no such user",
        lambda shop: put(MailToken, shop.mailed, user_id=ObjectId()),
        lambda shop: stored(MailToken, shop.mailed) is None,
    ),
    Breakage(
        "mail_tokens.form",
        "another address",
        lambda shop: put(MailToken, shop.mailed, email="Bob@example.com"),
    ),
    Breakage(
        "mail_tokens.ends",
        "good for a day",
        lambda shop: put(MailToken, shop.mailed, expires_at=utc_now() + timedelta(days=1)),
        lambda shop: stored(MailToken, shop.mailed) is None,
    ),
    Breakage(
        "api_keys.form", "a prefix of others", lambda shop: put(ApiKey, shop.key, prefix="sk_1")
    ),
    Breakage(
        "api_keys.form", "a secret as it is", lambda shop: put(ApiKey, shop.key, secret_hash="x")
    ),
    Breakage("api_keys.scopes", "none", lambda shop: put(ApiKey, shop.key, scopes=[])),
    Breakage(
        "audit_events.event", "no name", lambda shop: put(AuditEvent, shop.event, event="It failed")
    ),
    Breakage(
        "audit_events.event",
        "details with structure",
        lambda shop: put(AuditEvent, shop.event, details={"body": {"password": "x"}}),
    ),
]


@pytest.mark.parametrize("breakage", BREAKAGES, ids=str)
def test_what_breaks_a_rule_is_reported_by_it_and_mended_where_that_is_safe(
    breakage: Breakage, shop: Shop
) -> None:
    check(breakage, shop)


def test_a_key_that_is_right_and_taken_is_left_to_a_person(shop: Shop) -> None:
    twin = {
        **(stored(User, shop.bob) or {}),
        "_id": ObjectId(),
        "username_key": "x",
        "email_key": "x",
    }
    collection(User).insert_one(dict(twin))
    check(Breakage("users.keys", "taken", lambda _: str(twin["_id"])), shop)


def test_users_from_before_there_were_roles_are_right(shop: Shop) -> None:
    drop(User, shop.alice, "role")
    assert broken() == {}


def test_an_erasure_under_way_is_no_fault(shop: Shop) -> None:
    put(User, shop.bob, erasing_at=utc_now() - timedelta(seconds=10))
    assert broken() == {}
