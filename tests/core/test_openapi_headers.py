"""The headers of real answers, beside those that the OpenAPI document declares."""

from datetime import timedelta
from typing import Any, Final

import pytest

from catalog.documents import ProductRow
from ecommerce.core import conditional
from tests.client import Answer, ApiClient, Person

ALWAYS: Final = frozenset({"X-Request-ID", "RateLimit", "RateLimit-Policy"})
DECLARED: Final = ALWAYS | {
    "Retry-After", "WWW-Authenticate", "Location", "ETag", "Last-Modified", "Link",
    "Idempotent-Replayed",
}  # fmt: skip
"""What programs read; the others are for caches and browsers."""
KEY: Final = {"Idempotency_Key": "0f8f6c1d-2b6e-4b7f-9a3c"}


@pytest.fixture(autouse=True)
def _at_last_modified(limits_on: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditional, "_SETTLED", timedelta(0))


class Beside:
    """Compares answers with what the document says of them."""

    def __init__(self, document: Any) -> None:
        self._document = document

    def __call__(self, operation: str, answer: Answer, status: int, *further: str) -> None:
        """That the answer has these headers beside those that all have, and each is declared."""
        method, path = operation.split()
        responses = self._document["paths"][path][method.lower()]["responses"]
        declared = responses[str(status)].get("headers", {}).keys()
        sent = {name for name in DECLARED if name in answer.headers}
        assert (operation, answer.status, sent) == (operation, status, {*ALWAYS, *further})
        assert sent <= declared, operation


@pytest.fixture
def beside(document: Any) -> Beside:
    return Beside(document)


def test_what_is_read_has_tags_dates_and_links(
    lamp: ProductRow, beside: Beside, anyone: ApiClient, sam: Person
) -> None:
    one = f"/products/{lamp['_id']}"
    read = anyone.get(one)
    beside("GET /products/{id}", read, 200, "ETag", "Last-Modified")
    tag = {"If_None_Match": read.headers["ETag"]}
    beside("GET /products/{id}", anyone.get(one, **tag), 304, "ETag", "Last-Modified")
    since = {"If_Modified_Since": read.headers["Last-Modified"]}
    beside("GET /products/{id}", anyone.get(one, **since), 304, "ETag", "Last-Modified")
    sam.api.post("/products/", {"name": "Mug", "price": 5, "status": "active"})
    beside("GET /products/", anyone.get("/products/?limit=1"), 200, "ETag", "Link")
    beside("GET /products/", anyone.get("/products/"), 200, "ETag")
    beside("GET /products/facets", anyone.get("/products/facets"), 200, "ETag")
    beside("GET /users/{id}", sam.api.get("/users/me"), 200, "ETag")
    beside("GET /users/", sam.api.get("/users/?limit=1"), 200)
    beside("GET /users/{id}/sessions", sam.api.get("/users/me/sessions"), 200)


def test_what_is_made_says_where_it_is(lamp: ProductRow, beside: Beside, sam: Person) -> None:
    new = {"name": "Mug", "price": 5}
    made = sam.api.post("/products/", new, **KEY)
    beside("POST /products/", made, 201, "Location", "ETag")
    again = sam.api.post("/products/", new, **KEY)
    beside("POST /products/", again, 201, "Location", "ETag", "Idempotent-Replayed")
    made = sam.api.post("/categories/", {"name": "Home"})
    beside("POST /categories/", made, 201, "Location", "ETag")
    cart = sam.api.post("/shopping-carts/", {"items": []})
    beside("POST /shopping-carts/", cart, 201, "Location", "ETag")
    item = {"product_id": str(lamp["_id"]), "quantity": 1}
    added = sam.api.post(f"/shopping-carts/{cart['id']}/items", item)
    beside("POST /shopping-carts/{id}/items", added, 201, "ETag")
    file = sam.api.send(
        "POST", "/products/imports", raw=b'{"name": "Cup", "price": 1}',
        content_type="application/x-ndjson",
    )  # fmt: skip
    beside("POST /products/imports", file, 202, "Location")


def test_what_is_written_has_its_tag(lamp: ProductRow, beside: Beside, sam: Person) -> None:
    one = f"/products/{lamp['_id']}"
    beside("PATCH /products/{id}", sam.api.patch(one, {"name": "Mug"}), 200, "ETag")
    stale = sam.api.patch(one, {"name": "Mug"}, If_Match='"v1"')
    beside("PATCH /products/{id}", stale, 412)
    moved = sam.api.post(f"{one}/stock", {"delta": 1, "reason": "counted"})
    beside("POST /products/{id}/stock", moved, 200, "ETag")
    beside("DELETE /products/{id}", sam.api.delete(one), 204)
    beside("DELETE /users/{id}/sessions", sam.api.delete("/users/me/sessions"), 204)


def test_a_refusal_says_how_to_come_in_or_when_to_come_again(
    lamp: ProductRow, beside: Beside, anyone: ApiClient, sam: Person, settings: Any
) -> None:
    one = f"/products/{lamp['_id']}"
    beside("PATCH /products/{id}", anyone.patch(one, {}), 401, "WWW-Authenticate")
    refused = anyone.get("/products/", Authorization="Bearer x")
    beside("GET /products/", refused, 401, "WWW-Authenticate")
    beside("GET /products/{id}", anyone.get("/products/nothing"), 404)
    beside("POST /products/", sam.api.post("/products/", {}), 400)
    settings.RATE_LIMITS = {"writes": 1}
    sam.api.patch(one, {})
    beside("PATCH /products/{id}", sam.api.patch(one, {}), 429, "Retry-After")


def test_each_header_is_said_once_and_referred_to(document: Any) -> None:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for status, answer in operation["responses"].items():
                declared = answer.get("headers", {}).keys()
                assert (status == "414") or declared >= ALWAYS, (path, method, status)
                assert ("Retry-After" in declared) >= (status in {"429", "503"}), (path, method)
                assert ("WWW-Authenticate" in declared) == (status == "401"), (path, method)
    headers = document["components"]["headers"]
    assert headers.keys() == DECLARED - {"Location", "Idempotent-Replayed"}
    assert all(header["description"] for header in headers.values())
    in_flight = document["paths"]["/products/"]["post"]["responses"]["409"]["headers"]
    assert in_flight["Retry-After"] == {"$ref": "#/components/headers/Retry-After"}
