"""Requests that lie about where they go or come from: paths, hosts, methods, encodings."""

import gzip
from typing import Any

import pytest

from accounts.documents import User
from catalog.documents import Product, ProductRow
from ecommerce.core.mongo import collection
from tests.client import ApiClient, Person

PATHS = (
    "/users/me/../{bob}", "/%2e%2e/users/me", "//users/me", "/users//me", "/USERS/me",
    "/users/me%00", "/users/me;x=1", "/users/me.json", "/users/me/x.css",
    "/users/me%0d%0aX-Evil: yes", "/users/me%E2%80%8B", "/products/..%2f..%2fetc%2fpasswd",
    "/static/..%2f..%2fmanage.py", "/static/%2e%2e/%2e%2e/manage.py", "/.env", "/.git/config",
    "/" + "a" * 5_000, "/users/" + "0" * 5_000, "/users/" + "%F0%9F%98%80" * 500,
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:30])
def test_a_path_that_plays_tricks_is_404(path: str, alice: Person, bob: Person) -> None:
    answer = alice.api.get(path.replace("{bob}", bob.id))
    assert answer.status == 404
    assert answer["code"] in {"not_found", "user_not_found", "product_not_found"}
    assert bob.id.encode() not in answer.body.replace(answer["instance"].encode(), b"")
    assert len(answer.body) < 3_000, "at most 500 characters of it come back"
    assert "X-Evil" not in answer.headers


@pytest.mark.parametrize("name", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix"])
def test_a_header_names_no_other_path(name: str, anyone: ApiClient) -> None:
    answer = anyone.get("/livez", **{name: "/users/me"})
    assert (answer.status, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_a_header_names_no_other_method(name: str, alice: Person, anyone: ApiClient) -> None:
    assert alice.api.get("/users/me", **{name: "DELETE"}).status == 200
    assert anyone.post("/products/", {}, **{name: "GET"}).outcome == (401, "not_authenticated")
    assert collection(User).count_documents({}) == 1


def test_a_form_names_no_other_method(alice: Person) -> None:
    assert alice.api.form("/users/me", _method="DELETE").outcome == (405, "method_not_allowed")
    assert collection(User).count_documents({}) == 1


FORWARDED = {
    "X-Forwarded-Host": "evil.example", "X-Host": "evil.example", "Forwarded": "host=evil.example",
    "X-Forwarded-Port": "81", "X-Forwarded-Proto": "https",
}  # fmt: skip


@pytest.mark.parametrize("name", FORWARDED)
def test_a_header_changes_no_address_that_we_write(
    name: str, sam: Person, lamp: ProductRow
) -> None:
    sam.api.post("/products/", {"name": "Mug", "price": 1})
    headers = {name: FORWARDED[name]}
    made = sam.api.post("/products/", {"name": "Chair", "price": 1}, **headers)
    assert made.status == 201
    assert made.headers["Location"] == f"http://testserver/products/{made['id']}"
    page = sam.api.get("/products/?limit=1", **headers)
    assert page.status == 200
    assert page["next"].startswith("http://testserver/products/?")
    assert f"<{page['next']}>" in page.headers["Link"]


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver@evil.example", "a b", "", "*"]
)
def test_a_host_that_is_not_ours_is_400(host: str, anyone: ApiClient) -> None:
    assert anyone.get("/products/", Host=host).outcome == (400, "invalid_host")


def test_an_address_from_a_header_does_not_count_apart(
    limits_on: None, settings: Any, anyone: ApiClient
) -> None:
    settings.RATE_LIMITS = {"reads": 2}
    names = ("X-Forwarded-For", "X-Real-IP", "True-Client-IP", "Forwarded")
    answers = [
        anyone.get("/products/", **{name: f"203.0.113.{number}"})
        for number, name in enumerate(names)
    ]
    assert [answer.status for answer in answers[:2]] == [200, 200]
    assert [answer.outcome for answer in answers[2:]] == [(429, "rate_limited")] * 2


def test_a_compressed_bomb_is_not_unpacked(sam: Person) -> None:
    bomb = gzip.compress(b'{"name": "' + b"x" * 20_000_000 + b'", "price": 1}')
    assert len(bomb) < 50_000
    headers = {"Content-Encoding": "gzip"}
    answer = sam.api.send("POST", "/products/", raw=bomb, headers=headers)
    assert answer.outcome == (415, "unsupported_content_encoding")
    assert answer.headers["Accept-Encoding"] == "identity"
    assert collection(Product).count_documents({}) == 0


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip", "nonsense"])
def test_a_body_that_calls_itself_compressed_is_415_whatever_it_is(
    coding: str, sam: Person
) -> None:
    answer = sam.api.post("/products/", {"name": "Chair", "price": 1}, Content_Encoding=coding)
    assert answer.outcome == (415, "unsupported_content_encoding")
    assert answer["detail"].startswith("Compressed bodies are not read: send it as it is")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/products/", 200),
        ("HEAD", "/products/", 200),
        ("OPTIONS", "/products/", 204),
        ("GET", "/docs", 200),
        ("GET", "/openapi.json", 200),
    ],
)
def test_the_coding_of_no_body_is_nothing_to_refuse(
    method: str, path: str, status: int, anyone: ApiClient
) -> None:
    headers = {"Content-Encoding": "gzip"}
    assert anyone.send(method, path, headers=headers).status == status


@pytest.mark.parametrize("coding", ["", "identity", "Identity"])
def test_a_body_that_is_as_it_is_may_say_so(coding: str, sam: Person) -> None:
    body = {"name": "Chair", "price": 1}
    assert sam.api.post("/products/", body, Content_Encoding=coding).status == 201


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "nonsense"])
def test_a_charset_changes_nothing_the_body_is_utf8(charset: str, sam: Person) -> None:
    kind = f"application/json; charset={charset}"
    body = '{"name": "\u00e9", "price": 1}'
    sent = sam.api.send("POST", "/products/", raw=body.encode(), content_type=kind)
    assert (sent.status, sent["name"]) == (201, "\u00e9")
    wide = sam.api.send("POST", "/products/", raw=body.encode("utf-16"), content_type=kind)
    assert wide.outcome == (400, "invalid_utf8")


@pytest.mark.parametrize("value", ["a" * 256, "a b", "a\tb", "\u00e9", "a\r\nX-Evil: yes"])
def test_an_idempotency_key_that_is_none_is_400(value: str, sam: Person) -> None:
    body = {"name": "Chair", "price": 1}
    answer = sam.api.post("/products/", body, Idempotency_Key=value)
    assert answer.outcome == (400, "invalid_idempotency_key")
    assert collection(Product).count_documents({}) == 0


@pytest.mark.parametrize(
    "value", ["garbage", '"v0"', 'W/"v1"', '"v1', "'v1'", '"v99999999999999999"']
)
def test_an_if_match_that_was_made_up_changes_nothing(
    value: str, sam: Person, lamp: ProductRow
) -> None:
    answer = sam.api.patch(f"/products/{lamp['_id']}", {"name": "Other"}, If_Match=value)
    assert answer.outcome == (412, "precondition_failed")
    assert collection(Product).find_one({"_id": lamp["_id"]})["name"] == "Lamp"  # type: ignore[index]
