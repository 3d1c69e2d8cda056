"""Every POST of the product honours Idempotency-Key, or stands here with its reason."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from ecommerce.core.idempotency import is_idempotent
from tests.client import ApiClient

EXCEPTIONS = {
    "token": "each sign-in is a session of its own, and the answer is all secrets",
    "token-revoke": "revoking twice is revoking once (RFC 7009)",
    "own-password": "the first change makes the second impossible: it ends the token and the old "
    "password that both carry; and the answer is all secrets",
    "password-reset": "another mail with another link does no harm, and both links work",
    "password-reset-confirm": "the mailed token works once",
    "email-verification": "the mailed token works once",
    "own-email-verification": "another mail with another link does no harm, and both links work",
    "login": "a form of the browsable pages: browsers send no such header",
    "logout": "a form of the browsable pages: browsers send no such header",
}
"""From the name of the route to the reason."""


def routes(resolver: URLResolver) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern)
        else:
            yield pattern


def posts() -> Iterator[tuple[str, Any]]:
    """Name and method of every route that a class answers POST on."""
    for route in routes(get_resolver()):
        view: Any = route.callback
        kind = getattr(view, "cls", None) or getattr(view, "view_class", None)
        name = getattr(view, "actions", {}).get("post", "post")
        if kind is not None and hasattr(kind, name):
            yield str(route.name), getattr(kind, name)


def test_every_post_honours_the_key_or_is_an_exception_with_a_reason() -> None:
    without = {name for name, method in posts() if not is_idempotent(method)}
    assert without == EXCEPTIONS.keys()


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/docs", "/openapi.json"])
def test_what_no_class_answers_takes_no_post(path: str, anyone: ApiClient) -> None:
    assert anyone.post(path, {}).status == 405


def test_the_api_document_has_the_header_and_what_comes_of_it(anyone: ApiClient) -> None:
    paths = json.loads(anyone.get("/openapi.json").body)["paths"]
    having = {
        (path, method)
        for path, item in paths.items()
        for method, operation in item.items()
        if "Idempotency-Key" in {one["name"] for one in operation.get("parameters", [])}
    }
    assert having >= {
        ("/products/", "post"),
        ("/products/{id}/stock", "post"),
        ("/categories/", "post"),
        ("/users/", "post"),
    }
    assert {method for _, method in having} == {"post"}
    for path, method in having:
        answers = paths[path][method]["responses"]
        done = [answer for status, answer in answers.items() if status.startswith("2")]
        assert done, (path, method)
        assert all("Idempotent-Replayed" in answer["headers"] for answer in done)
        examples = {
            status: answers[status]["content"]["application/problem+json"]["examples"].keys()
            for status in ("400", "409", "422")
        }
        assert "InvalidIdempotencyKey" in examples["400"]
        assert "OperationInProgress" in examples["409"]
        assert "IdempotencyKeyReused" in examples["422"]


def test_a_page_of_another_origin_may_send_the_header_and_see_the_mark(
    anyone: ApiClient, settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    origin = {"Origin": "https://shop.example"}
    asked = {"Access_Control_Request_Method": "POST"}
    asked["Access_Control_Request_Headers"] = "idempotency-key"
    answer = anyone.send("OPTIONS", "/products/", headers={**origin, **asked})
    assert "idempotency-key" in answer.headers["Access-Control-Allow-Headers"]
    shown = anyone.get("/products/", **origin).headers["Access-Control-Expose-Headers"]
    assert "Idempotent-Replayed" in shown
