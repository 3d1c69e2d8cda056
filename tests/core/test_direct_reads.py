"""What nothing keeps is read without Django, and the answer is Django's to the byte."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from catalog.documents import CategoryRow, ProductRow
from catalog.services import ProductService
from ecommerce.core import conditional
from ecommerce.core.errors import PreconditionFailedError
from ecommerce.core.public_reads import direct, layer
from tests.core.wsgi_calls import LIMITS, Calls, Sent, added, whatever_is_left
from tests.operations import recorded

DIRECT = (
    "/products/{id}", "/products/{id}/", "/products/{ID}", "/products/{id}?fields=name,price",
    "/products/", "/products", "/products/?limit=1", "/products/?limit=1&count=true",
    "/products/?q=lamp&ordering=price", "/products/?category=home&in_stock=true",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_is_kept(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RESPONSE_CACHE = "off"
    monkeypatch.setattr(conditional, "_SETTLED", timedelta(0))


@pytest.fixture
def addresses(
    make_category: Callable[..., CategoryRow], make_product: Callable[..., ProductRow]
) -> list[str]:
    make_category("home")
    made = [make_product(name=f"Lamp {n}", category="home", quantity=n) for n in range(3)]
    product = str(made[0]["_id"])
    return [address.format(id=product, ID=product.upper()) for address in DIRECT]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_every_address_answers_the_same_bytes_and_headers(
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
        assert (expected[0], passed_on) == ("200 OK", [])


def test_every_page_is_reached_by_the_links(
    addresses: list[str], django: Calls, both: Calls, passed_on: list[str]
) -> None:
    first, middle = both("/products/?limit=1"), "/products/?limit=1&cursor="
    cursor = dict(first[1])["Link"].split("cursor=")[1].split(">")[0].split("&")[0]
    both(middle + cursor)
    expected = django(middle + cursor)
    passed_on.clear()
    assert both(middle + cursor) == expected
    assert (dict(expected[1])["Link"].count("rel="), passed_on) == (2, [])


def test_who_has_the_answer_gets_the_same_304(
    limits: bool, addresses: list[str], django: Calls, both: Calls, passed_on: list[str]
) -> None:
    for address in addresses:
        headers = dict(both(address)[1])
        conditions = [{"HTTP_IF_NONE_MATCH": headers["ETag"]}]
        if "Last-Modified" in headers:
            conditions.append({"HTTP_IF_MODIFIED_SINCE": headers["Last-Modified"]})
        for condition in conditions:
            expected = whatever_is_left(django(address, **condition))
            assert LIMITS & dict(expected[1]).keys() == (LIMITS if limits else set())
            passed_on.clear()
            assert whatever_is_left(both(address, **condition)) == expected
            assert both.line == django.line
            assert (expected[0][:3], passed_on) == ("304", [])


def test_metrics_count_the_same(addresses: list[str], django: Calls, both: Calls) -> None:
    for address in addresses:
        both(address)
        by_django, by_layer = added(lambda a=address: django(a)), added(lambda a=address: both(a))  # type: ignore[misc]
        assert by_layer == by_django
        assert len(by_layer) > 10


def test_it_takes_the_reads_that_the_view_takes(
    addresses: list[str], django: Calls, both: Calls
) -> None:
    def reads(call: Callable[[], Sent]) -> list[tuple[str, str]]:
        with recorded() as seen:
            call()
        return [(one.collection, one.kind) for one in seen]

    for address in addresses:
        both(address)
        by_layer = reads(lambda a=address: both(a))  # type: ignore[misc]
        assert by_layer == reads(lambda a=address: django(a))  # type: ignore[misc]
        assert ("products", "find") in by_layer


REFUSED = (
    "/products/{unknown}", "/products/{draft}", "/products/{id}?nonsense=1", "/products/?limit=0",
    "/products/{id}?fields=name&fields=price", "/products/?cursor=x.x", "/products/zzz",
    "/products/?q=%ff", "/products/?%ff=1", "/products/{id}?fields=name%ff", "/products/?limit=1_0",
    "/products/?q=caf\xe9",
)  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_refused_is_refused_by_django_and_asked_for_once(
    address: str, lamp: ProductRow, make_product: Callable[..., ProductRow], django: Calls,
    both: Calls,
) -> None:  # fmt: skip
    both("/products/"), both(f"/products/{lamp['_id']}")
    draft = make_product(status="draft")["_id"]
    address = address.format(id=lamp["_id"], draft=draft, unknown=ObjectId())
    with recorded() as by_django:
        expected = django(address)
    with recorded() as by_layer:
        answer = both(address)
    assert answer == expected
    assert answer[0][:3] in {"400", "404"}
    assert len(by_layer) == len(by_django) <= 1


def test_what_a_read_raises_is_raised_by_the_view_which_does_not_read_again(
    lamp: ProductRow, both: Calls, django: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, asked = f"/products/{lamp['_id']}", []
    both(path)

    def fails(*_: Any, **__: Any) -> None:
        asked.append(path)
        raise PreconditionFailedError

    monkeypatch.setattr("catalog.views.reads.selectors.product_by_id_or_slug", fails)
    assert both(path) == django(path)
    assert len(asked) == 2, "once by each way"


def test_a_read_is_counted_once_whoever_answers_it(
    limits_on: None, lamp: ProductRow, both: Calls, django: Calls, settings: Any
) -> None:
    settings.RATE_LIMITS = {"reads": 4}
    path, unknown = f"/products/{lamp['_id']}", f"/products/{ObjectId()}"
    answers = [both(path), both(path), both(unknown), django(path), both(path)]
    assert [answer[0][:3] for answer in answers] == ["200", "200", "404", "200", "429"]
    left = [dict(answer[1])["RateLimit"].split(";")[1] for answer in answers]
    assert left == ["r=3", "r=2", "r=1", "r=0", "r=0"]


def test_who_is_beyond_the_limit_asks_nothing_of_the_database(
    limits_on: None, lamp: ProductRow, both: Calls, settings: Any
) -> None:
    settings.RATE_LIMITS = {"reads": 1}
    path = f"/products/{lamp['_id']}"
    both(path)
    with recorded() as seen:
        assert both(path)[0].startswith("429")
    assert seen == []


def test_a_search_is_counted_under_its_own_limit(
    limits_on: None, lamp: ProductRow, both: Calls, django: Calls, passed_on: list[str]
) -> None:
    both("/products/?q=lamp")
    passed_on.clear()
    assert dict(both("/products/?q=lamp")[1])["RateLimit-Policy"].startswith('"search"')
    assert dict(both("/products/")[1])["RateLimit-Policy"].startswith('"reads"')
    assert passed_on == []


def test_a_request_has_one_id_in_its_answer_and_its_problem(lamp: ProductRow, both: Calls) -> None:
    both(f"/products/{lamp['_id']}")
    status, headers, body = both(f"/products/{ObjectId()}", HTTP_X_REQUEST_ID="bad id")
    assert status.startswith("404")
    assert f'"request_id":"{dict(headers)["X-Request-ID"]}"' in body.decode()


def test_each_host_is_judged_by_django(lamp: ProductRow, both: Calls, passed_on: list[str]) -> None:
    path = f"/products/{lamp['_id']}"
    both(path)
    for host, status in (("localhost", "200"), ("evil.example", "400"), ("evil.example", "400")):
        assert both(path, HTTP_HOST=host)[0][:3] == status
    assert passed_on == [path] * 4
    assert both(path, HTTP_HOST="localhost")[0][:3] == "200"
    assert passed_on == [path] * 4


def test_the_links_of_a_list_name_the_host_that_was_asked(
    addresses: list[str], both: Calls, django: Calls
) -> None:
    for host in ("localhost", "testserver", "localhost", "testserver"):
        answer = both("/products/?limit=1", HTTP_HOST=host)
        assert f"http://{host}/products/?limit=1&cursor=" in answer[2].decode()
        assert answer == django("/products/?limit=1", HTTP_HOST=host)


def test_what_changed_a_moment_ago_is_answered_with_the_headers_of_its_kind(
    lamp: ProductRow, both: Calls, django: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/products/{lamp['_id']}"
    for settled in (timedelta(0), timedelta(hours=1), timedelta(0), timedelta(hours=1)):
        monkeypatch.setattr(conditional, "_SETTLED", settled)
        answer = both(path)
        assert answer == django(path)
        assert ("Last-Modified" in dict(answer[1])) == (settled == timedelta(0))


def test_after_a_write_the_answer_is_made_directly_and_kept_again(
    lamp: ProductRow, both: Calls, passed_on: list[str], settings: Any
) -> None:
    settings.RESPONSE_CACHE = "full"
    path = f"/products/{lamp['_id']}"
    both(path)
    ProductService.update(product_id=str(lamp["_id"]), changes={"name": "Mug"})
    with recorded() as seen:
        assert [b'"Mug"' in both(path)[2] for _ in range(3)] == [True] * 3
    assert ([one.kind for one in seen], passed_on) == (["find"], [path])


def test_staff_gets_what_staff_sees(
    make_product: Callable[..., ProductRow], both: Calls, sam: Any
) -> None:
    draft = f"/products/{make_product(status='draft')['_id']}"
    both(f"/products/{make_product()['_id']}")
    header = f"Bearer {sam.tokens.access_token}"
    assert both(draft)[0].startswith("404")
    assert both(draft, HTTP_AUTHORIZATION=header)[0].startswith("200")
    assert both(draft)[0].startswith("404")


def test_what_is_learned_is_bounded(
    lamp: ProductRow, both: Calls, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = [".example.com"]
    monkeypatch.setattr(direct, "_MAX_ORIGINS", 3)
    for number in range(10):
        both(f"/products/{lamp['_id']}", HTTP_HOST=f"h{number}.example.com")
    assert isinstance(both.application, layer.PublicReads)
    assert len(both.application._direct._learned) <= 3
