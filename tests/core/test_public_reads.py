"""The layer around Django answers as Django does, to the byte, or leaves the request to it."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

from catalog import selectors
from catalog.documents import CategoryRow, ProductRow
from catalog.services import ProductService
from catalog.topics import product_topic
from ecommerce.core import conditional
from ecommerce.core.public_reads import PublicReads, layer
from ecommerce.core.public_reads.kept import Kept, KeptAnswers, unpack
from ecommerce.core.response_cache import stored
from ecommerce.core.response_cache.answers import Provenance
from tests.core.wsgi_calls import (
    LIMITS,
    Calls,
    added,
    found,
    read_before_new_tokens,
    whatever_is_left,
)
from tests.operations import recorded

PUBLIC = (
    "/products/{id}", "/products/{id}/", "/products/{id}?fields=name,price", "/products/",
    "/products/desk-lamp", "/products/desk-lamp/", "/products/desk-lamp?fields=name,price",
    "/products", "/products/?limit=1", "/products/?q=lamp&ordering=price", "/products/facets",
    "/products/suggest?q=l", "/categories/", "/categories/{category}",
    "/categories/{category}/products",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _caches_on(settings: Any) -> None:
    """What is kept is what these tests are about, whatever the run says."""
    settings.RESPONSE_CACHE = "full"


@pytest.fixture(autouse=True)
def _settled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was just made has its last headers already."""
    monkeypatch.setattr(conditional, "_SETTLED", timedelta(0))


@pytest.fixture
def addresses(
    make_category: Callable[..., CategoryRow], make_product: Callable[..., ProductRow]
) -> list[str]:
    category = make_category("home")["slug"]
    product = make_product(category=category, slug="desk-lamp")
    make_product(name="Lamp two", category=category)
    return [address.format(id=product["_id"], category=category) for address in PUBLIC]


def test_the_list_of_public_routes_has_them_all(addresses: list[str], django: Calls) -> None:
    """Whoever adds a route that everybody may read finds this test, and compares it below."""
    every = [
        (route.name, reverse(route.name, kwargs=dict.fromkeys(route.pattern.regex.groupindex, "z")))
        for route in _routes_of(get_resolver())
    ]
    ours = {name: path for name, path in every if path.startswith(("/products", "/categories"))}
    readable = {n for n, path in ours.items() if django(path)[0][:3] not in {"401", "405"}}
    assert {resolve(address.partition("?")[0]).url_name for address in addresses} == readable


def _routes_of(resolver: URLResolver) -> Iterator[URLPattern]:
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield one
        elif one.namespace is None:  # which are of other packages
            yield from _routes_of(one)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_every_public_route_answers_the_same_bytes_and_headers(
    method: str, limits: bool, addresses: list[str], django: Calls, both: Calls,
    passed_on: list[str],
) -> None:  # fmt: skip
    for address in addresses:
        both(address, method)
        expected = whatever_is_left(django(address, method))
        assert LIMITS & dict(expected[1]).keys() == (LIMITS if limits else set())
        passed_on.clear()
        assert whatever_is_left(both(address, method)) == expected
        assert both.line == django.line
        assert passed_on == []


def test_every_public_route_answers_the_same_304(
    limits: bool, addresses: list[str], django: Calls, both: Calls, passed_on: list[str]
) -> None:
    for address in addresses:
        tag = dict(both(address)[1])["ETag"]
        for header in (tag, f'W/{tag}, "other"', "*"):
            expected = whatever_is_left(django(address, HTTP_IF_NONE_MATCH=header))
            assert LIMITS & dict(expected[1]).keys() == (LIMITS if limits else set())
            passed_on.clear()
            assert whatever_is_left(both(address, HTTP_IF_NONE_MATCH=header)) == expected
            assert both.line == django.line
            assert (expected[0][:3], passed_on) == ("304", [])
        other = both(address, HTTP_IF_NONE_MATCH='"v999"')
        expected = django(address, HTTP_IF_NONE_MATCH='"v999"')
        assert whatever_is_left(other) == whatever_is_left(expected)
        assert other[0] == "200 OK"


def test_metrics_count_the_same(addresses: list[str], django: Calls, both: Calls) -> None:
    for address in addresses:
        tag = dict(both(address)[1])["ETag"]
        for headers in ({}, {"HTTP_IF_NONE_MATCH": tag}):
            by_django = added(lambda a=address, h=headers: django(a, **h))  # type: ignore[misc]
            by_layer = added(lambda a=address, h=headers: both(a, **h))  # type: ignore[misc]
            assert by_layer == by_django
            assert len(by_layer) > 10


def test_an_answer_is_counted_by_where_it_was_found(
    addresses: list[str], django: Calls, both: Calls
) -> None:
    address = addresses[0]
    assert found(lambda: both(address)) == {"miss": 1}
    assert found(lambda: both(address)) == {"process": 1}
    assert found(lambda: Calls(PublicReads(django.application))(address)) == {"shared": 1}


SPECIAL = {
    "HTTP_AUTHORIZATION": "Bearer x",
    "HTTP_COOKIE": "a=b",
    "HTTP_ORIGIN": "https://shop.example",
    "HTTP_X_REQUESTED_WITH": "XMLHttpRequest",
    "HTTP_RANGE": "bytes=0-1",
    "HTTP_TRANSFER_ENCODING": "chunked",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "GET",
}


def test_the_list_of_special_headers_has_them_all() -> None:
    """Whoever adds one finds this test, and asks with it below."""
    assert SPECIAL.keys() == set(layer._SPECIAL)


@pytest.mark.parametrize(
    "special",
    [
        *({name: value} for name, value in SPECIAL.items()),
        {"HTTP_ACCEPT": "text/html"},
        {"HTTP_ACCEPT": "application/json; indent=2"},
        {"CONTENT_LENGTH": "5"},
    ],
)
def test_a_request_that_is_special_is_left_to_django(
    special: dict[str, str], lamp: ProductRow, both: Calls, passed_on: list[str]
) -> None:
    path = f"/products/{lamp['_id']}"
    both(path)
    both(path, **special)
    assert passed_on == [path, path]


def test_nothing_but_public_reads_is_kept(lamp: ProductRow, both: Calls) -> None:
    for path in ("/livez", "/users/me", "/shopping-carts/", "/openapi.json", "/products/zzz"):
        first, second = both(path), both(path)
        assert first[0] == second[0]
    assert both.application._kept.bytes == 0


def test_a_read_that_django_does_not_see_is_counted_all_the_same(
    limits_on: None, lamp: ProductRow, both: Calls, django: Calls, settings: Any
) -> None:
    settings.RATE_LIMITS = {"reads": 3}
    path = f"/products/{lamp['_id']}"
    answers = [both(path), both(path), django(path), both(path)]
    assert [answer[0][:3] for answer in answers] == ["200", "200", "200", "429"]
    names = [[name for name, _ in answer[1]] for answer in answers]
    assert names[0] == names[1] == names[2]
    left = [dict(answer[1])["RateLimit"].split(";")[1] for answer in answers]
    assert left == ["r=2", "r=1", "r=0", "r=0"]
    assert int(dict(answers[3][1])["Retry-After"]) >= 1


def test_each_request_has_its_own_id(lamp: ProductRow, both: Calls) -> None:
    path = f"/products/{lamp['_id']}"
    both(path)
    assert dict(both(path, HTTP_X_REQUEST_ID="my-own-id-1")[1])["X-Request-ID"] == "my-own-id-1"
    made = {dict(both(path, HTTP_X_REQUEST_ID="bad id\n")[1])["X-Request-ID"] for _ in range(3)}
    assert len(made) == 3
    assert all(len(one) == 32 for one in made)


def test_a_write_of_this_process_is_seen_at_once(lamp: ProductRow, both: Calls) -> None:
    path = f"/products/{lamp['_id']}"
    assert b'"Lamp"' in both(path)[2]
    ProductService.update(product_id=str(lamp["_id"]), changes={"name": "Mug"})
    assert b'"Mug"' in both(path)[2]


@pytest.fixture
def crowd(lamp: ProductRow, both: Calls, monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[str]]:
    """50 threads that ask for the lamp at once, all before the first read is done: the answers."""
    read = selectors.product_by_id_or_slug

    def slowly(*args: Any, **kwargs: Any) -> Any:
        time.sleep(0.2)
        return read(*args, **kwargs)

    def ask() -> set[str]:
        barrier = Barrier(50)

        def one(_: int) -> str:
            barrier.wait()
            status, _headers, body = both(f"/products/{lamp['_id']}")
            return f"{status}: {json.loads(body)['name']}"

        monkeypatch.setattr("catalog.views.reads.selectors.product_by_id_or_slug", slowly)
        with ThreadPoolExecutor(50) as pool:
            return set(pool.map(one, range(50)))

    return ask


def test_50_threads_after_a_write_make_one_read(
    lamp: ProductRow, both: Calls, passed_on: list[str], crowd: Callable[[], set[str]]
) -> None:
    path = f"/products/{lamp['_id']}"
    both(path), both(path)
    ProductService.update(product_id=str(lamp["_id"]), changes={"name": "Mug"})
    with recorded() as seen:
        assert crowd() == {"200 OK: Mug"}
    assert ([one.kind for one in seen], passed_on) == (["find"], [path])


def test_50_threads_after_an_answer_has_expired_make_one_read(
    lamp: ProductRow, both: Calls, passed_on: list[str], crowd: Callable[[], set[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = f"/products/{lamp['_id']}"
    with monkeypatch.context() as patch:
        patch.setattr(stored, "LIFE_SECONDS", 0.05)
        both(path), both(path)
        time.sleep(0.1)
    with recorded() as seen:
        assert crowd() == {"200 OK: Lamp"}
    assert ([one.kind for one in seen], passed_on) == (["find"], [path])


def test_what_is_still_right_after_a_second_is_given_without_a_read(
    lamp: ProductRow, both: Calls, passed_on: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/products/{lamp['_id']}"
    both(path)
    monkeypatch.setattr(layer, "FRESH_SECONDS", -1.0)
    with recorded() as seen:
        assert both(path)[0] == "200 OK"
    assert (seen, passed_on) == ([], [path])


def test_after_its_life_an_answer_is_given_by_nobody(
    lamp: ProductRow, both: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/products/{lamp['_id']}"
    with monkeypatch.context() as patch:
        patch.setattr(stored, "LIFE_SECONDS", 0.1)
        both(path)
        assert found(lambda: both(path)) == {"process": 1}
        time.sleep(0.1)
    assert found(lambda: both(path)) == {"miss": 1}
    assert found(lambda: both(path)) == {"process": 1}


def test_another_process_answers_from_the_shared_layer_without_django(
    addresses: list[str], django: Calls, both: Calls, passed_on: list[str]
) -> None:
    other = Calls(PublicReads(django.application))
    for address in addresses:
        expected = both(address)
        passed_on.clear()
        assert other(address) == expected
        assert passed_on == []


def test_a_write_makes_void_what_the_shared_layer_holds(
    lamp: ProductRow, django: Calls, both: Calls
) -> None:
    path = f"/products/{lamp['_id']}"
    both(path)
    ProductService.update(product_id=str(lamp["_id"]), changes={"name": "Mug"})
    assert b'"Mug"' in Calls(PublicReads(django.application))(path)[2]


def test_a_write_of_something_else_leaves_what_is_kept(
    lamp: ProductRow, make_product: Callable[..., ProductRow], django: Calls, both: Calls,
    passed_on: list[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(layer, "FRESH_SECONDS", -1.0)
    path = f"/products/{lamp['_id']}"
    both(path)
    topic = product_topic(lamp["_id"])
    other = next(p for p in (make_product() for _ in range(9)) if product_topic(p["_id"]) != topic)
    ProductService.update(product_id=str(other["_id"]), changes={"name": "Mug"})
    passed_on.clear()
    both(path)
    Calls(PublicReads(django.application))(path)
    assert passed_on == []


def test_without_its_own_layer_a_process_asks_the_shared_one(
    lamp: ProductRow, django: Calls, passed_on: list[str]
) -> None:
    shared_only = Calls(PublicReads(django.application, in_process=False))
    path = f"/products/{lamp['_id']}"
    first = shared_only(path)
    assert shared_only(path) == first
    assert passed_on == [path]
    assert shared_only.application._kept.bytes == 0


def test_what_changed_a_moment_ago_is_kept_once_its_headers_are_final(
    lamp: ProductRow, both: Calls, passed_on: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditional, "_SETTLED", timedelta(hours=1))
    path = f"/products/{lamp['_id']}"
    assert "Last-Modified" not in dict(both(path)[1])
    monkeypatch.setattr(conditional, "_SETTLED", timedelta(0))
    assert "Last-Modified" in dict(both(path)[1])
    assert passed_on == [path, path]


def an_answer(body: bytes) -> Kept:
    made_of = Provenance(("a",), (b"t",), b"e", "v", "http", is_settled=True, ends_at=60.0)
    return Kept([("ETag", '"t"')], body, '"t"', "", made_of, 7.0, b"e", ends=17.0)


def test_an_answer_comes_back_from_the_shared_layer_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stored, "time", SimpleNamespace(time=lambda: 50.0))
    assert unpack(an_answer(b"{}\n{}").pack(), now=7.0) == an_answer(b"{}\n{}")


@pytest.mark.parametrize(
    "packed", [b'{"etag": "old"}\n{}', b'{"headers": 1}\n', b"[]\n{}", b"{\n", b""]
)
def test_what_another_version_of_the_program_kept_is_not_there(packed: bytes) -> None:
    assert unpack(packed, now=7.0) is None


def test_what_was_kept_without_its_end_is_not_there() -> None:
    packed = an_answer(b"{}").pack()
    assert unpack(packed, now=7.0) is not None
    assert unpack(packed.replace(b'"ends_at"', b'"other"'), now=7.0) is None


def test_entries_of_another_version_are_answered_anew(
    lamp: ProductRow, django: Calls, both: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a release rolls out, old and new processes share one Redis."""
    path = f"/products/{lamp['_id']}"
    monkeypatch.setattr(Kept, "pack", lambda _: b'{"etag": "old"}\n{}')
    expected = both(path)
    assert Calls(PublicReads(django.application))(path) == expected


def test_what_is_kept_stays_within_its_bytes() -> None:
    kept = KeptAnswers(max_bytes=10_000)
    for number in range(50):
        kept.put((str(number),), an_answer(b"x" * 1_000))
        assert kept.bytes <= 10_000
    assert kept.get(("49",)) is not None
    assert kept.get(("0",)) is None


def test_a_read_that_comes_before_the_new_tokens_are_stored_keeps_no_old_answer(
    lamp: ProductRow, both: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write is done, and what it made void is said only after one more read."""
    path = f"/products/{lamp['_id']}"
    for _ in range(2):
        both(path)
    between = read_before_new_tokens(lambda: both(path), monkeypatch)
    ProductService.update(product_id=str(lamp["_id"]), changes={"name": "Renamed"})
    assert b'"name":"Lamp"' in between[0][2], "the write has not answered yet"
    assert b'"name":"Renamed"' in both(path)[2]
