"""Headers that tell browsers and caches what they may do with an answer."""

from typing import Any

import pytest
from django.test import Client

from catalog.documents import ProductRow
from ecommerce.core.security_headers import DATA_POLICY, PAGE_POLICY
from tests.client import ApiClient, Person

JSON = ("/products/", "/products/zzz", "/users/me", "/nowhere", "/livez", "/openapi.json")
PAGES = ("/", "/docs", "/redoc")


@pytest.mark.parametrize("path", JSON)
def test_data_runs_nothing_and_is_framed_by_nobody(path: str, anyone: ApiClient) -> None:
    headers = anyone.get(path).headers
    assert headers["Content-Security-Policy"] == DATA_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_pages_run_their_own_scripts_and_no_inline_one(path: str, anyone: ApiClient) -> None:
    page = anyone.get(path, Accept="text/html")
    assert page.status == 200
    assert page.headers["Content-Security-Policy"] == PAGE_POLICY
    scripts = page.body.split(b"<script")[1:]
    assert all(b"src=" in script.partition(b">")[0] for script in scripts)
    assert "script-src" not in PAGE_POLICY  # so default-src 'self' holds: nothing inline, no eval
    assert b"https://" not in b"".join(script.partition(b">")[0] for script in scripts)


def test_the_browsable_pages_run_no_inline_script(lamp: ProductRow, sam: Person) -> None:
    page = sam.api.get(f"/products/{lamp['_id']}", Accept="text/html")
    assert page.headers["Content-Security-Policy"] == PAGE_POLICY
    tags = [script.partition(b">")[0] for script in page.body.split(b"<script")[1:]]
    assert all(b"src=" in tag or b"application/json" in tag for tag in tags)
    assert b"Log out" in page.body
    assert b"onclick=" not in page.body


def test_the_script_of_the_documentation_is_a_file_of_its_own(anyone: ApiClient) -> None:
    assert b"?script=" in anyone.get("/docs").body
    script = anyone.get("/docs?script=")
    assert script.headers["Content-Type"].startswith("application/javascript")
    assert b"SwaggerUIBundle" in script.body


@pytest.mark.parametrize("path", ["/users/me", "/users/", "/shopping-carts/", "/audit-events/"])
def test_what_is_somebodys_own_is_stored_nowhere(path: str, sam: Person) -> None:
    answer = sam.api.get(path)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "private, no-store")


def test_production_answers_over_tls_ask_for_tls_for_a_year(
    settings: Any, anyone: ApiClient
) -> None:
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    answer = Client().get("/livez", secure=True)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def preflight(origin: str, header: str) -> Any:
    return Client().options(
        "/shopping-carts/", HTTP_ORIGIN=origin, HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS=header,
    )  # fmt: skip


@pytest.mark.parametrize(
    "header",
    ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match",
     "x-cart-token", "x-request-id"],
)  # fmt: skip
def test_a_browser_client_of_a_known_origin_may_send_what_the_api_reads(
    header: str, settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    answer = preflight("https://shop.example", header)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert header in answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_browser_client_may_read_the_headers_of_the_api(settings: Any, anyone: ApiClient) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    answer = anyone.get("/products/", Origin="https://shop.example")
    assert set(answer.headers["Access-Control-Expose-Headers"].split(", ")) == {
        "ETag", "Idempotent-Replayed", "Link", "Location", "RateLimit", "RateLimit-Policy",
        "Retry-After", "X-Request-ID",
    }  # fmt: skip


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://shop.example.evil"])
def test_another_origin_is_allowed_nothing(origin: str, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    answer = preflight(origin, "authorization")
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
