"""How often each route that writes may ask the database: exactly as often as its row says.

What is sent is the call of `tests/security/expectations.py`, by its owner or else by staff. Rows of
carts are in `test_cart_budget.py`; further calls are counted in `test_database_budget.py`.
"""

from collections.abc import Mapping
from typing import Final

import pytest

from ecommerce.core.background import wait_until_idle
from tests.client import ApiClient
from tests.core.test_cart_budget import CALLS as CART_CALLS
from tests.operations import asked
from tests.security.calls import address, prepared
from tests.security.expectations import ROWS, Row, World
from tests.security.routes import all_routes

ROUTES: Final = all_routes()
WRITES: Final[Mapping[str, str]] = {
    # the pages
    "POST /auth/login": "users.find audit_events.insert",
    "POST /auth/logout": "",
    # accounts
    "POST /token": "users.find audit_events.insert refresh_families.insert",
    "POST /token/revoke": "refresh_families.find users.update users.update refresh_families.update "
    "audit_events.insert",
    "POST /users": "users.find users.insert mail_tokens.insert users.find",
    "PUT /users/{pk}": "users.find users.find users.find audit_events.insert users.findAndModify "
    "audit_events.insert mail_tokens.insert users.find",
    "PATCH /users/{pk}": "users.find users.find users.find audit_events.insert users.findAndModify "
    "audit_events.insert mail_tokens.insert users.find",
    "POST /users/me/password": "users.find users.find audit_events.insert users.findAndModify "
    "refresh_families.insert",
    "POST /users/me/verify-email": "users.find users.find mail_tokens.insert users.find",
    "POST /users/verify-email": "mail_tokens.find users.findAndModify users.find users.find "
    "mail_tokens.findAndModify audit_events.insert mail_tokens.delete",
    "POST /password-reset": "users.find audit_events.insert mail_tokens.insert users.find",
    "POST /password-reset/confirm": "mail_tokens.find users.find mail_tokens.findAndModify "
    "audit_events.insert users.findAndModify mail_tokens.delete",
    "DELETE /users/{pk}/sessions": "users.find audit_events.insert users.findAndModify "
    "refresh_families.update",
    "DELETE /users/{pk}/sessions/{session_id}": "users.find refresh_families.find users.update "
    "users.update refresh_families.update audit_events.insert",
    # the catalog
    "POST /products": "users.find products.insert",
    "POST /products/bulk": "users.find products.insert",
    "POST /products/imports": "users.find import_chunks.insert import_jobs.insert",
    "PUT /products/{pk}": "users.find products.findAndModify",
    "PATCH /products/{pk}": "users.find products.findAndModify",
    "DELETE /products/{pk}": "users.find products.findAndModify",
    "POST /products/{pk}/stock": "users.find products.findAndModify stock_movements.insert "
    "products.update",
    "POST /categories": "users.find category_tree.find categories.find category_tree.findAndModify "
    "categories.insert category_tree.update categories.find",
    "PUT /categories/{pk}": "users.find category_tree.find categories.find categories.find "
    "category_tree.findAndModify categories.find categories.update products.update "
    "category_tree.update categories.find categories.find",
    "PATCH /categories/{pk}": "users.find category_tree.find categories.find "
    "category_tree.findAndModify categories.find categories.update products.update "
    "category_tree.update categories.find categories.find",
    "DELETE /categories/{pk}": "users.find category_tree.find categories.find categories.find "
    "products.find category_tree.findAndModify categories.update products.update "
    "category_tree.update",
    # carts: an empty one; and one that an earlier try has made the user's
    "POST /shopping-carts": "users.find open_carts.update shopping_carts.insert",
    "POST /shopping-carts/{pk}/merge": "users.find shopping_carts.find shopping_carts.find "
    "products.find",
}
"""What each route that writes takes; in another order too, for mails are sent beside the answer.

A link that is mailed looks, after its token is stored, whether its user may still have it."""

EXCEPTIONS: Final[Mapping[str, str]] = {
    "DELETE /users/{pk}": "an erasure goes over every collection that names the user, more than "
    "once, for what others store meanwhile: tests/accounts/test_erasure_races.py",
}
"""Routes without a row, and why."""


def who_may(row: Row, world: World) -> ApiClient:
    if not row.looks_at_tokens:
        return ApiClient()
    return (world.alice if row.expected("owner") == "ok" else world.sam).api


def test_every_route_that_writes_has_a_budget() -> None:
    writing = {name for name, route in ROUTES.items() if route.method != "GET"}
    counted = WRITES.keys() | {route for route, _, _ in CART_CALLS}
    missing = sorted(writing - counted - EXCEPTIONS.keys())
    assert missing == [], "add a row to WRITES, or to CALLS of test_cart_budget.py"
    gone = sorted((counted | EXCEPTIONS.keys()) - ROUTES.keys())
    assert gone == [], "rows of routes that are gone"
    assert counted & EXCEPTIONS.keys() == set(), "what has a row is no exception"


@pytest.mark.parametrize("name", WRITES)
def test_a_write_takes_so_many_operations(name: str, world: World) -> None:
    route, row = ROUTES[name], ROWS[name]
    if row.before:
        row.before(world)
    call = prepared(route, row, who_may(row, world), address(route.path, world), world)
    assert wait_until_idle(10)
    assert sorted(asked(call, status=None)) == sorted(WRITES[name].split())
