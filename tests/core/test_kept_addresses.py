"""A kept answer is of one address and no other: scheme, host, path and query, each as sent."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches

from catalog.documents import ProductRow
from ecommerce.core import conditional
from ecommerce.core.public_reads import PublicReads
from ecommerce.core.response_cache.topics import CACHE
from tests.core.wsgi_calls import Calls, found


@pytest.fixture(autouse=True)
def _as_deployed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caches are on; what was just made has its last headers already."""
    settings.RESPONSE_CACHE = "full"
    monkeypatch.setattr(conditional, "_SETTLED", timedelta(0))


def test_another_host_is_not_answered_with_what_is_kept(lamp: ProductRow, both: Calls) -> None:
    path = f"/products/{lamp['_id']}"
    both(path)
    status, headers, body = both(path, HTTP_HOST="evil.example")
    assert (status[:3], json.loads(body)["code"]) == ("400", "invalid_host")
    assert dict(headers)["Content-Type"] == "application/problem+json"


def test_a_question_mark_in_a_path_is_no_query(
    lamp: ProductRow, django: Calls, both: Calls
) -> None:
    """`/products/%3Fq=lamp` is of no product, and not the list that `/products/?q=lamp?` is."""
    listed = {"PATH_INFO": "/products/", "QUERY_STRING": "q=lamp?"}
    unknown = {"PATH_INFO": "/products/?q=lamp", "QUERY_STRING": ""}
    assert both("", **listed)[0] == "200 OK"
    for process in (both, Calls(PublicReads(django.application))):
        status, _headers, body = process("", **unknown)
        assert (status[:3], json.loads(body)["code"]) == ("404", "product_not_found")


@pytest.mark.parametrize("says_https", ["server", "proxy"])
def test_links_have_the_scheme_that_was_asked_with(
    says_https: str, make_product: Callable[..., ProductRow], django: Calls, settings: Any
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    for number in range(2):
        make_product(name=f"Lamp {number}")
    of_https = {
        "server": {"wsgi.url_scheme": "https"}, "proxy": {"HTTP_X_FORWARDED_PROTO": "https"},
    }[says_https]  # fmt: skip

    def scheme_of_link(process: Calls, **asked: str) -> str:
        status, headers, body = process("/products/?limit=1", **asked)
        assert status == "200 OK"
        link = str(json.loads(body)["next"])
        assert dict(headers)["Link"].startswith(f"<{link}>")
        return link.partition("://")[0]

    first, second = (Calls(PublicReads(django.application)) for _ in range(2))
    for process in (first, second, first, second):
        assert scheme_of_link(process) == "http"
        assert scheme_of_link(process, **of_https) == "https"


@pytest.mark.parametrize(("length", "is_kept"), [(500, True), (501, False)])
def test_a_long_query_is_kept_nowhere(
    length: int, is_kept: bool, lamp: ProductRow, both: Calls
) -> None:
    """It is hardly asked twice, and would take the place of what is."""
    both("/products/")  # whose topics are the same
    query = f"brand={'x' * 200}&brand={'y' * 200}&brand=".ljust(length, "z")
    before = kept_entries(), both.application._kept.bytes
    for _ in range(2):
        status, _headers, body = both(f"/products/?{query}")
        assert (status, json.loads(body)["items"]) == ("200 OK", [])
    grown = (kept_entries() != before[0], both.application._kept.bytes != before[1])
    assert grown == (is_kept, is_kept)
    assert found(lambda: both(f"/products/?{query}")) == ({"process": 1} if is_kept else {})


def kept_entries() -> set[str]:
    """The keys in the shared cache."""
    cache: Any = caches[CACHE]  # django-redis's lists its keys, that of this process has a dict
    return set(cache.keys("*") if hasattr(cache, "keys") else cache._cache)
