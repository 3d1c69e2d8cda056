"""Staff finds carts and answers for customers; who did what stands in the audit log."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from bson import ObjectId

from accounts.documents import AuditEvent
from carts.documents import ShoppingCart
from catalog.documents import ProductRow
from ecommerce.core.mongo import collection, utc_now
from tests.carts.items import item
from tests.carts.test_foreign_carts import cart_routes
from tests.client import ApiClient, Person

ROUTES: list[tuple[str, str, Any, int, str]] = [
    ("put", "", {"items": []}, 200, "update"),
    ("patch", "", {"items": []}, 200, "partial_update"),
    ("delete", "", None, 204, "destroy"),
    ("post", "/items", {"quantity": 1}, 200, "add_item"),
    ("put", "/items/LAMP", {"quantity": 5}, 200, "set_item"),
    ("patch", "/items/LAMP", {"quantity": 5}, 200, "change_item"),
    ("delete", "/items/LAMP", None, 200, "remove_item"),
    ("post", "/items/LAMP/save", None, 200, "save_item"),
    ("post", "/saved-items/MUG/restore", None, 200, "restore_item"),
    ("delete", "/saved-items/MUG", None, 200, "remove_saved_item"),
    ("delete", "/clear", None, 200, "clear"),
    ("post", "/refresh-prices", None, 200, "refresh_prices"),
]
OF_NO_CUSTOMER: Final = {"list", "retrieve", "create", "merge"}
"""What changes no customer's cart; a merge takes the secret, which no staff has."""


def test_every_change_that_staff_can_make_is_listed_here() -> None:
    actions = {action for _, _, action in cart_routes()}
    assert actions == {route[4] for route in ROUTES} | OF_NO_CUSTOMER


def events() -> list[dict[str, Any]]:
    return list(collection(AuditEvent).find({}))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: " ".join(route[:2]))
def test_staff_changes_a_customers_cart_and_the_audit_log_says_so(
    route: tuple[str, str, Any, int, str], make_product: Callable[..., ProductRow],
    alice: Person, sam: Person,
) -> None:  # fmt: skip
    method, path, body, status, action = route
    lamp, mug = make_product(), make_product()
    cart_id = alice.api.post("/shopping-carts/", {"items": [item(lamp, 2), item(mug)]})["id"]
    alice.api.post(f"/shopping-carts/{cart_id}/items/{mug['_id']}/save")
    sam.api.patch(f"/products/{lamp['_id']}", {"price": 25})
    if path == "/items":
        body = item(lamp)
    path = path.replace("LAMP", str(lamp["_id"])).replace("MUG", str(mug["_id"]))
    answer = sam.api.send(method.upper(), f"/shopping-carts/{cart_id}{path}", body)
    assert answer.status == status
    (event,) = events()
    assert (
        event.items()
        >= {
            "event": "cart_changed_for_customer",
            "actor_id": sam.principal.id,
            "subject_id": alice.principal.id,
            "target": f"shopping-carts/{cart_id}",
            "details": {"action": action},
        }.items()
    )


def test_staff_starts_a_cart_for_a_customer_on_record(alice: Person, sam: Person) -> None:
    cart = sam.api.post("/shopping-carts/", {"user_id": alice.id})
    (event,) = events()
    assert (event["actor_id"], event["subject_id"]) == (sam.principal.id, alice.principal.id)
    assert event["target"] == f"shopping-carts/{cart['id']}"


def test_a_guests_cart_has_no_subject(lamp: ProductRow, anyone: ApiClient, sam: Person) -> None:
    cart = anyone.post("/shopping-carts/", {})["id"]
    assert sam.api.post(f"/shopping-carts/{cart}/items", item(lamp)).status == 201
    (event,) = events()
    assert "subject_id" not in event


def test_what_is_ones_own_or_refused_is_not_on_record(
    lamp: ProductRow, alice: Person, sam: Person
) -> None:
    own = f"/shopping-carts/{sam.api.post('/shopping-carts/', {})['id']}"
    sam.api.post(f"{own}/items", item(lamp))
    others = f"/shopping-carts/{alice.api.post('/shopping-carts/', {})['id']}"
    assert sam.api.post(f"{others}/items", item(lamp, 99)).status == 409
    assert sam.api.get(others).status == 200
    assert events() == []


@pytest.fixture
def carts(
    make_product: Callable[..., ProductRow], alice: Person, bob: Person, anyone: ApiClient
) -> dict[str, str]:
    """A cart of alice with a lamp, one of bob, one of a guest with a lamp; bob's is a week old."""
    lamp = make_product()
    found = {
        "lamp": str(lamp["_id"]),
        "alice": alice.api.post("/shopping-carts/", {"items": [item(lamp)]})["id"],
        "bob": bob.api.post("/shopping-carts/", {})["id"],
        "guest": anyone.post("/shopping-carts/", {"items": [item(lamp)]})["id"],
    }
    collection(ShoppingCart).update_one(
        {"_id": ObjectId(found["bob"])}, {"$set": {"updated_at": utc_now() - timedelta(days=7)}}
    )
    return found


def found_by(sam: Person, carts: dict[str, str], **query: str) -> list[str]:
    listed = sam.api.get(f"/shopping-carts/?{urlencode(query)}")
    assert listed.status == 200
    names = {cart_id: name for name, cart_id in carts.items()}
    return [names[cart["id"]] for cart in listed["items"]]


def test_staff_finds_carts_by_user_product_age_and_kind(
    carts: dict[str, str], alice: Person, sam: Person
) -> None:
    yesterday = (utc_now() - timedelta(days=1)).isoformat()
    assert found_by(sam, carts) == ["guest", "bob", "alice"]
    assert found_by(sam, carts, user_id=alice.id) == ["alice"]
    assert found_by(sam, carts, product_id=carts["lamp"]) == ["guest", "alice"]
    assert found_by(sam, carts, updated_before=yesterday) == ["bob"]
    assert found_by(sam, carts, updated_after=yesterday) == ["guest", "alice"]
    assert found_by(sam, carts, guest="true") == ["guest"]
    assert found_by(sam, carts, guest="false") == ["bob", "alice"]
    assert found_by(sam, carts, guest="true", user_id=alice.id) == []
    assert found_by(sam, carts, product_id=carts["lamp"], guest="false") == ["alice"]
    assert found_by(sam, carts, limit="1") == ["guest"]


@pytest.mark.parametrize(
    "query", ["user_id=ME", "product_id=LAMP", "updated_before=2026-01-01T00:00:00Z",
              "updated_after=2026-01-01T00:00:00Z", "guest=true", "guest=false"],
)  # fmt: skip
def test_a_customer_looks_for_nothing(query: str, carts: dict[str, str], alice: Person) -> None:
    query = query.replace("ME", alice.id).replace("LAMP", carts["lamp"])
    assert alice.api.get(f"/shopping-carts/?{query}").outcome == (403, "staff_only_filter")
    assert [cart["id"] for cart in alice.api.get("/shopping-carts/")["items"]] == [carts["alice"]]


@pytest.mark.parametrize(
    "query",
    ["user_id=x", "product_id=%24ne", "updated_before=yesterday", "updated_after=", "guest=2",
     "guest=null", "updated_before=0001-01-01T00:00:00%2B14:00",
     "updated_after=%D9%A2%D9%A0%D9%A2%D9%A6-01-01", "updated_before=2026-01-0%D9%A1T00:00:00Z",
     "updated_after=9999-12-31T23:59:59-14:00"],
)  # fmt: skip
def test_a_query_that_cannot_be_read_names_its_parameter(query: str, sam: Person) -> None:
    answer = sam.api.get(f"/shopping-carts/?{query}")
    assert (answer.outcome, answer.pointers) == (
        (400, "validation_error"), [f"/{query.split('=')[0]}"],
    )  # fmt: skip
