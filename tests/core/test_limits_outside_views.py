"""Limits of what no view of the API counts: pages, unknown paths, refusals before any view."""

from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.client import PASSWORD, ApiClient, Person

READS = '"reads";q=1200;w=60'
WRITES = '"writes";q=300;w=60'


@pytest.mark.parametrize(
    ("method", "path", "status", "policy"),
    [
        ("GET", "/nope", 404, READS),
        ("HEAD", "/nope", 404, READS),
        ("POST", "/nope", 404, WRITES),
        ("GET", "/", 200, READS),
        ("POST", "/", 405, WRITES),
        ("GET", "/docs", 200, READS),
        ("GET", "/redoc", 200, READS),
        ("GET", "/openapi.json", 200, READS),
        ("OPTIONS", "/openapi.json", 204, READS),
        ("DELETE", "/docs", 405, WRITES),
        ("GET", "/auth/login", 200, READS),
        ("GET", "/auth/logout", 405, READS),
        ("GET", "/static/nope.css", 404, READS),
    ],
)
def test_pages_and_unknown_paths_are_counted_and_say_so(
    method: str, path: str, status: int, policy: str, limits_on: None, anyone: ApiClient
) -> None:
    first, second = anyone.send(method, path), anyone.send(method, path)
    assert first.status == status
    assert first.headers["RateLimit-Policy"] == policy
    left = [int(answer.headers["RateLimit"].split(";")[1][2:]) for answer in (first, second)]
    assert left[1] == left[0] - 1


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({"Host": "evil.example"}, (400, "invalid_host")),
        ({"Transfer-Encoding": "chunked"}, (411, "length_required")),
        ({"Content-Encoding": "gzip"}, (415, "unsupported_content_encoding")),
        ({"Content-Length": "9" * 20}, (413, "body_too_large")),
    ],
)
def test_what_is_refused_before_any_view_is_counted_too(
    headers: dict[str, str], outcome: tuple[int, str], limits_on: None, anyone: ApiClient
) -> None:
    answer = anyone.send("POST", "/products/", {}, headers=headers)
    assert answer.outcome == outcome
    assert answer.headers["RateLimit-Policy"] == WRITES


@pytest.mark.parametrize("path", ["/nope", "/", "/docs", "/openapi.json", "/auth/login"])
def test_beyond_the_limit_of_an_address_they_are_429_problems(
    path: str, limits_on: None, settings: Any, anyone: ApiClient
) -> None:
    settings.RATE_LIMITS = {"reads": 2}
    status = anyone.get(path).status
    assert anyone.get(path).status == status
    refused = anyone.get(path)
    assert refused.outcome == (429, "rate_limited")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused["instance"] == path
    assert refused.headers["RateLimit-Policy"] == '"reads";q=2;w=60'
    assert 1 <= int(refused.headers["Retry-After"]) <= 2 * 60
    assert ApiClient(address="192.0.2.1").get(path).status == status


def test_they_and_the_reads_of_the_api_are_counted_together(
    limits_on: None, settings: Any, anyone: ApiClient
) -> None:
    settings.RATE_LIMITS = {"reads": 1}
    assert anyone.get("/nope").status == 404
    assert anyone.get("/products/").outcome == (429, "rate_limited")


def test_beyond_the_limit_no_document_is_made(
    limits_on: None, settings: Any, anyone: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS = {"reads": 1}
    made: list[str] = []
    make: Any = SchemaGenerator.get_schema

    def counted(generator: SchemaGenerator, *args: Any, **kwargs: Any) -> Any:
        made.append("document")
        return make(generator, *args, **kwargs)

    monkeypatch.setattr(SchemaGenerator, "get_schema", counted)
    assert [anyone.get("/openapi.json").status for _ in range(3)] == [200, 429, 429]
    assert made == ["document"]


def test_a_browser_is_refused_with_a_page(limits_on: None, settings: Any) -> None:
    settings.RATE_LIMITS = {"reads": 1}
    person = ApiClient()
    person.get("/", Accept="text/html")
    page = person.get("/", Accept="text/html")
    assert (page.status, page.headers["Content-Type"]) == (429, "text/html; charset=utf-8")
    assert b"Too many requests" in page.body
    assert page.headers["Retry-After"]


PROBES = ("/livez", "/readyz", "/metrics")
FILE = "/static/drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [*(("GET", path, 200) for path in (*PROBES, FILE)), *(("POST", path, 405) for path in PROBES)],
)
def test_probes_metrics_and_files_have_no_limit(
    method: str, path: str, status: int, limits_on: None, settings: Any, anyone: ApiClient
) -> None:
    settings.RATE_LIMITS = {"reads": 1, "writes": 1}
    for _ in range(3):
        answer = anyone.send(method, path)
        assert answer.status == status
        assert "RateLimit" not in answer.headers


def test_logging_out_is_counted_before_it_ends_the_session(
    limits_on: None, settings: Any, alice: Person
) -> None:
    settings.RATE_LIMITS = {"writes": 1}
    browser = Client(headers={"Accept": "text/html"})
    typed = {"username": "alice", "password": PASSWORD}
    assert browser.post("/auth/login", typed).status_code == 302
    assert browser.post("/nope").status_code == 404
    assert browser.post("/auth/logout").status_code == 429
    assert browser.get("/users/me").status_code == 200, "the session is what it was"
