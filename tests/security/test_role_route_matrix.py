"""Every route, by every kind of caller: who gets in, and that whoever does not changed nothing.

The routes come from the URL configuration, what they answer from the table in `expectations.py`.
"""

import hashlib
import re
from datetime import timedelta
from typing import Any

import bson
import pytest
from mongoengine import Document

from accounts.access_tokens import ShopAccessToken
from accounts.documents import ApiKey, AuditEvent, User
from accounts.rules import Scope
from accounts.services import ApiKeyService
from accounts.views.tokens import OAuthView
from ecommerce.core.document_classes import documents
from ecommerce.core.mongo import collection, utc_now
from ecommerce.core.viewsets import ShopViewSet
from tests.client import ApiClient, Person
from tests.security.calls import address, send
from tests.security.expectations import CALLERS, GONE, ROWS, World
from tests.security.routes import METHODS, Route, all_routes

ROUTES = all_routes()
LISTED = [name for name in ROUTES if name in ROWS]


def digest(*, without: type[Document] | None = None) -> str:
    """Of all that is stored."""
    content = hashlib.sha256()
    for document in (one for one in documents() if one is not without):
        content.update(document.__name__.encode())
        for packed in sorted(bson.encode(row) for row in collection(document).find({})):
            content.update(packed)
    return content.hexdigest()


def key(*scopes: Scope) -> ApiClient:
    """A machine that has just called, so that its next call notes nothing."""
    _, text = ApiKeyService.create(name="Robot", scopes=scopes, lifetime=timedelta(days=1))
    collection(ApiKey).update_many({}, {"$set": {"last_used_at": utc_now()}})
    return ApiClient(authorization=f"Api-Key {text}")


def expired_token(person: Person) -> str:
    """Right in everything but its time."""
    token = ShopAccessToken(person.tokens.access_token)  # type: ignore[arg-type]
    token.set_exp(lifetime=timedelta(minutes=-1))
    return str(token)


def caller(name: str, world: World, route: Route) -> ApiClient:
    """Who calls; those who are gone have the token that was alice's."""
    alice = {"_id": world.alice.principal.id}
    if name == "anonymous":
        return ApiClient()
    if name == "key":
        return key(Scope(route.scope)) if route.scope else key(*Scope)
    if name == "other key":
        others = [scope for scope in Scope if scope != route.scope]
        return key(*others) if route.scope else key(Scope.AUDIT_READ)
    if name == "deactivated":
        collection(User).update_one(alice, {"$set": {"is_active": False}})
    if name == "deleted":
        collection(User).delete_one(alice)
    if name == "expired":
        return ApiClient(expired_token(world.alice))
    people = {"other": world.bob, "staff": world.sam, "admin": world.ada}
    return people.get(name, world.alice).api


def test_every_route_is_in_the_table() -> None:
    missing = "".join(f'\n    "{name}": row(…),' for name in ROUTES if name not in ROWS)
    assert not missing, f"add to ROWS in tests/security/expectations.py: {missing}"
    assert [name for name in ROWS if name not in ROUTES] == [], "rows of routes that are gone"


@pytest.mark.parametrize("who", [*CALLERS, *GONE])
@pytest.mark.parametrize("name", LISTED)
def test_who_gets_in(name: str, who: str, world: World) -> None:
    route, row = ROUTES[name], ROWS[name]
    if row.before:
        row.before(world)
    path = address(route.path, world)
    expected, client = row.expected(who), caller(who, world, route)
    recorded_in = AuditEvent if row.is_recorded and expected == "ok" else None
    before = digest(without=recorded_in)
    answer = send(route, row, client, path, world)
    got = "ok" if answer.status < 400 else str(answer.status)
    assert got == expected, f"{name} as {who}: {answer.status} {answer.body[:300]!r}"
    if route.method == "GET" or expected != "ok":
        assert digest(without=recorded_in) == before, (
            "what was denied, or only read, changed nothing"
        )


@pytest.mark.parametrize("path", sorted({r.path for r in ROUTES.values() if r.view is not None}))
def test_no_other_method_does_anything(path: str, world: World) -> None:
    where = address(path, world)
    undeclared = [method for method in METHODS if f"{method} {path}" not in ROUTES]
    before = digest()
    answers = {method: world.ada.api.send(method, where, {}).status for method in undeclared}
    assert answers == dict.fromkeys(undeclared, 405)
    assert digest() == before


LIMITED = [
    name
    for name in LISTED
    if isinstance(ROUTES[name].view, type)
    and issubclass(ROUTES[name].view, ShopViewSet | OAuthView)
]


@pytest.mark.parametrize("name", LIMITED)
def test_every_answer_says_what_is_left_of_its_limit(
    name: str, world: World, limits_on: None
) -> None:
    """Whatever it is: done, refused, or not even understood; pages have a test of their own."""
    route, row = ROUTES[name], ROWS[name]
    path = address(route.path, world)
    staff = world.sam.api
    answers = {
        "anonymous": send(route, row, ApiClient(), path, world),
        "broken token": send(route, row, ApiClient("broken"), path, world),
        "customer": send(route, row, world.bob.api, path, world),
        "staff": send(route, row, staff, path, world),
        "staff again": send(route, row, staff, path, world),
        "unknown parameter": staff.send(route.method, f"{path}?unknown=1"),
        "no such media type": staff.send(route.method, path, headers={"Accept": "image/png"}),
        "no body that is one": staff.send(route.method, path, raw=b"{"),
        "no such method": staff.send("PROPFIND", path),
        "options": staff.send("OPTIONS", path),
    }
    silent = [
        (what, answer.status)
        for what, answer in answers.items()
        if not {"RateLimit", "RateLimit-Policy"} <= answer.headers.keys()
    ]
    assert silent == []


def test_who_is_refused_cannot_ask_for_ever(limits_on: None, settings: Any, alice: Person) -> None:
    settings.RATE_LIMITS = {"reads": 2, "writes": 2}
    for client, status, code in (
        (ApiClient(), 401, "not_authenticated"),
        (ApiClient("made-up", address="192.0.2.1"), 401, "invalid_token"),
        (alice.api, 403, "permission_denied"),
    ):
        answers = [client.get("/users/") for _ in range(3)]
        assert [answer.outcome for answer in answers[:2]] == [(status, code)] * 2
        assert answers[2].outcome == (429, "rate_limited")
        assert answers[2].headers["Retry-After"]
    assert ApiClient(address="192.0.2.2").get("/users/").status == 401


def test_the_walk_finds_the_routes_of_every_app() -> None:
    firsts = {re.split(r"[ /]+", name)[1] for name in ROUTES}
    assert {"users", "token", "audit-events", "products", "categories", "shopping-carts"} <= firsts
    assert len(ROUTES) >= 50
