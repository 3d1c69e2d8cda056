"""The pages for people: no other site writes through them, and nothing stored runs in them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.documents import AuditEvent, User
from carts.documents import ShoppingCart
from catalog.documents import ProductRow
from ecommerce.core.mongo import collection, utc_now
from tests.client import PASSWORD, ApiClient, Person
from tests.faults import DiesAt, KilledError

JSON = "application/json"


@pytest.fixture
def browser(alice: Person) -> Client:
    """Alice's, logged in on the pages; CSRF is checked as in production."""
    client = Client(enforce_csrf_checks=True)
    client.get("/auth/login/")
    fields = {"username": "alice", "password": PASSWORD, **csrf(client)}
    assert client.post("/auth/login/", fields).status_code == 302
    return client


def csrf(client: Client) -> dict[str, str]:
    return {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}


@pytest.mark.parametrize("kind", [JSON, "text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_write_of_another_site_is_403_and_changes_nothing(
    method: str, kind: str, browser: Client, alice: Person
) -> None:
    path = "/shopping-carts/" if method == "post" else "/users/me"
    before = alice.api.get("/users/me").json()
    answer = browser.generic(method.upper(), path, "{}", content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert collection(ShoppingCart).count_documents({}) == 0
    assert alice.api.get("/users/me").json() == before


def test_a_stolen_csrf_token_from_another_origin_is_403(browser: Client) -> None:
    headers = {"X-CSRFToken": browser.cookies["csrftoken"].value, "Origin": "https://evil.example"}
    answer = browser.post("/shopping-carts/", "{}", content_type=JSON, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    del headers["Origin"]
    assert (
        browser.post("/shopping-carts/", "{}", content_type=JSON, headers=headers).status_code
        == 201
    )


def test_another_site_logs_nobody_in_or_out(alice: Person, browser: Client) -> None:
    stranger = Client(enforce_csrf_checks=True)
    fields = {"username": "alice", "password": PASSWORD}
    assert stranger.post("/auth/login/", fields).status_code == 403
    assert "sessionid" not in stranger.cookies
    assert browser.post("/auth/logout/").status_code == 403
    assert browser.get("/auth/logout/").status_code == 405
    assert browser.get("/users/me", HTTP_ACCEPT=JSON).status_code == 200


def test_the_session_cookie_is_not_for_scripts_or_other_sites(browser: Client) -> None:
    cookie = browser.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_a_copy_of_the_session_cookie_is_nobody_after_the_log_out(browser: Client) -> None:
    copy = Client()
    copy.cookies["sessionid"] = browser.cookies["sessionid"].value
    assert copy.get("/users/me", HTTP_ACCEPT=JSON).status_code == 200
    assert browser.post("/auth/logout/", csrf(browser)).status_code == 302
    refused = copy.get("/users/me", HTTP_ACCEPT=JSON)
    assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")


def test_a_log_out_that_dies_after_its_effect_is_recorded(
    alice: Person, browser: Client, dies_at: DiesAt
) -> None:
    dies_at("log_out.shut_out")
    with pytest.raises(KilledError):
        browser.post("/auth/logout/", csrf(browser))
    assert browser.get("/users/me", HTTP_ACCEPT=JSON).status_code == 401
    (entry,) = collection(AuditEvent).find({"event": "session_ended"})
    assert (entry["actor_id"], entry["subject_id"]) == (alice.principal.id, alice.principal.id)


def test_it_stays_nobody_as_long_as_the_cookie_lives(alice: Person, browser: Client) -> None:
    """An access token of a session that was ended is forgotten when it expires, which is sooner."""
    browser.post("/auth/logout/", csrf(browser))
    (user,) = collection(User).find({"_id": alice.principal.id})
    (ended,) = user["ended_sessions"]
    left = ended["until"] - utc_now()
    assert timedelta(hours=11, minutes=59) < left <= timedelta(hours=12)


def test_logging_out_in_one_browser_leaves_another_signed_in(
    alice: Person, browser: Client
) -> None:
    other = Client()
    other.post("/auth/login/", {"username": "alice", "password": PASSWORD})
    browser.post("/auth/logout/", csrf(browser))
    assert other.get("/users/me", HTTP_ACCEPT=JSON).status_code == 200
    assert alice.api.get("/users/me").status == 200


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example", "//evil.example", "///evil.example", "\\\\evil.example",
        "/\\evil.example", "javascript:alert(1)", "http:evil.example", "https:///evil.example",
        "http://testserver@evil.example", "http://testserver.evil.example", "\x01//evil.example",
        "data:text/html,x", " //evil.example",
    ],
)  # fmt: skip
def test_logging_in_and_out_leads_to_no_other_site(wanted: str, alice: Person) -> None:
    client = Client()
    fields = {"username": "alice", "password": PASSWORD, "next": wanted}
    login = client.post("/auth/login/", fields)
    assert (login.status_code, login.headers["Location"]) == (302, "/")
    logout = client.post("/auth/logout/", {"next": wanted})
    assert (logout.status_code, logout.headers["Location"]) == (302, "/")


def test_no_path_redirects(anyone: ApiClient, lamp: ProductRow) -> None:
    for path in ("/products", "/products/", f"/products/{lamp['_id']}", "/docs", "/docs/"):
        assert anyone.get(path).status == 200
    assert anyone.get("//evil.example/%2f..").status == 404


MARKUP = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


def test_a_name_with_markup_is_text_on_every_page(sam: Person) -> None:
    made = sam.api.post(
        "/products/",
        {"name": MARKUP, "brand": MARKUP, "tags": [MARKUP[:50]], "price": 1, "status": "active"},
    )
    assert made.status == 201
    for path in ("/products/", f"/products/{made['id']}", "/products/facets"):
        page = sam.api.get(path, Accept="text/html")
        assert page.status == 200
        assert b"&lt;script&gt;alert(1)" in page.body
        assert b"<script>alert(1)" not in page.body
        assert b"<img src=x" not in page.body


def test_what_was_typed_wrong_comes_back_as_text(anyone: ApiClient) -> None:
    for path, fields in (
        ("/auth/login/", {"username": MARKUP, "password": "x"}),
        (f"/auth/login/?next={MARKUP}", {"username": "a", "password": "x", "next": MARKUP}),
    ):
        page = anyone.form(path, **fields)
        assert page.status == 400
        assert b"<script>alert(1)" not in page.body
        assert b"<img src=x" not in page.body


def test_markup_in_a_description_is_cleaned_when_it_is_stored(sam: Person) -> None:
    text = '<p onclick="x()">Fine <a href="javascript:x()">link</a></p><script>x()</script>'
    text += "<svg/onload=x()>"
    made = sam.api.post("/products/", {"name": "Mug", "price": 1, "description": text})
    assert made.status == 201
    assert made["description"] == '<p>Fine <a rel="noopener noreferrer">link</a></p>'


@pytest.mark.parametrize("path", ["/users/me", "/shopping-carts/"])
def test_a_private_answer_is_for_nobody_elses_cache(path: str, alice: Person) -> None:
    answer = alice.api.get(path)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert {"Accept", "Authorization"} <= set(answer.headers["Vary"].split(", "))


def test_an_answer_cannot_be_made_a_script(anyone: ApiClient, lamp: ProductRow) -> None:
    answer = anyone.get("/products/?callback=alert")
    assert answer.outcome == (400, "validation_error")
    plain: Any = anyone.get("/products/")
    assert plain.status == 200
    assert plain.headers["Content-Type"] == "application/json"
    assert plain.headers["X-Content-Type-Options"] == "nosniff"
