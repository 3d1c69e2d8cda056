"""What is written in production: ECS lines of known fields, under one request id, redacted."""

import json
import logging
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import RequestFactory
from pymongo.errors import DuplicateKeyError

from accounts import capacity
from accounts.capacity import Slots
from ecommerce.core.logs.formatter import EcsFormatter
from ecommerce.core.logs.redaction import redacted, redacted_query
from ecommerce.core.logs.server import access_line
from ecommerce.core.request_ids import RequestIdFilter
from tests.client import PASSWORD, ApiClient, Person

TOKEN = "kZ3vJ0eY1nQ8sT5wR2xU7aB4cD6fG9hK_mN-pLqSvXy"  # as secrets.token_urlsafe(32) makes them
REQUEST_ID = "4b5e2d6c9a1f4f0e8d7c6b5a49382716"


def written(message: str = "Something happened", **record: Any) -> dict[str, Any]:
    """What production writes for a record."""
    made = logging.LogRecord("shop.test", logging.ERROR, "test.py", 7, message, (), None)
    made.__dict__.update({"request_id": "-", **record})
    line: dict[str, Any] = json.loads(EcsFormatter().format(made))
    return line


def request_line(**environ: str) -> dict[str, Any]:
    """What production writes for a request."""
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/products/", "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.7", "HTTP_USER_AGENT": "curl/8.1", **environ,
    }  # fmt: skip
    headers = [("Content-Type", "application/json"), ("X-Request-ID", REQUEST_ID)]
    line: dict[str, Any] = json.loads(
        access_line(environ, 200, headers, 512, timedelta(microseconds=1250))
    )
    return line


def test_a_request_is_one_line_of_ecs_fields() -> None:
    line = request_line(QUERY_STRING="limit=20")
    assert line.pop("@timestamp").endswith("Z")
    assert line.pop("process")["pid"] > 0
    assert line == {
        "message": "GET /products/ 200",
        "ecs.version": "1.6.0",
        "log.level": "info",
        "log": {"logger": "gunicorn.access"},
        "service": {"name": "shop-api"},
        "event": {
            "dataset": "shop.access", "kind": "event", "category": ["web"], "type": ["access"],
            "outcome": "success", "duration": 1_250_000,
        },
        "http": {
            "request": {"method": "GET", "id": REQUEST_ID},
            "response": {"status_code": 200, "body": {"bytes": 512}},
            "version": "1.1",
        },
        "url": {"path": "/products/", "query": "limit=20"},
        "client": {"ip": "203.0.113.7"},
        "user_agent": {"original": "curl/8.1"},
    }  # fmt: skip


def test_what_a_client_makes_up_is_cut_and_is_one_line(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    line = request_line(
        PATH_INFO="/products/" + "a" * 5000,
        HTTP_USER_AGENT="x\r\n\x00" + "b" * 5000,
        HTTP_X_FORWARDED_FOR="not-an-address",
        REMOTE_ADDR="",
    )
    assert len(line["url"]["path"]) == 512
    assert len(line["user_agent"]["original"]) == 512
    assert line["client"]["ip"] == "0.0.0.0"


def test_a_peer_without_an_address_has_none() -> None:
    assert "client" not in request_line(REMOTE_ADDR="unix:/run/shop.sock")


def test_a_path_in_any_bytes_is_written() -> None:
    as_wsgi_gives_it = "/категории".encode().decode("latin-1")
    assert request_line(PATH_INFO=as_wsgi_gives_it)["url"]["path"] == "/категории"
    assert request_line(PATH_INFO="/\xff\xfe")["url"]["path"] == "/\ufffd\ufffd"


@pytest.mark.parametrize("path", [f"/users/{TOKEN}", "/users/eve@example.com"])
def test_a_secret_in_a_path_is_not_written(path: str) -> None:
    said = json.dumps(request_line(PATH_INFO=path))
    assert TOKEN not in said
    assert "eve@example.com" not in said


@pytest.mark.parametrize(
    ("query", "written_as"),
    [
        ("limit=20&ordering=-price", "limit=20&ordering=-price"),
        ("q=eve%40example.com", "q=[redacted]"),
        ("email=eve@example.com&limit=5", "email=[redacted]&limit=5"),
        (f"token={TOKEN}", "token=[redacted]"),
        (f"{TOKEN}=1", ""),
        (f"category={TOKEN}", "category=[secret]"),
        ("brand=eve%40example.com", "brand=[email]"),
        ("cursor=abc&&=&x", "cursor=[redacted]&x=[redacted]"),
        ("", ""),
    ],
)
def test_only_harmless_values_of_a_query_are_written(query: str, written_as: str) -> None:
    assert redacted_query(query) == written_as


@pytest.mark.parametrize(
    ("text", "written_as"),
    [
        ("Mail to eve+shop@mail.example.co.uk failed", "Mail to [email] failed"),
        ("eve%40example.com", "[email]"),
        ("mongodb://shop:half/s@same@db.example/shop", "mongodb://[secret]@db.example/shop"),
        ("redis://:sesame@cache:6379/0", "redis://[secret]@cache:6379/0"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer [secret]"),
        ("api-key shop_12ab.xyz, refused", "api-key [secret], refused"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "[secret]"),
        (f"{{'token': '{TOKEN}'}}", "{'token': '[secret]'}"),
        (REQUEST_ID * 2, REQUEST_ID * 2),
        ("https://shop.example/docs", "https://shop.example/docs"),
        ("find on shopping_carts took 300 ms", "find on shopping_carts took 300 ms"),
        ("in test_only_harmless_values_of_a_query_are_written", None),
        ("a" * 200_000, None),
    ],
)
def test_credentials_and_mailboxes_are_cut_out_of_texts(text: str, written_as: str | None) -> None:
    assert redacted(text) == (text if written_as is None else written_as)


def test_an_error_is_written_with_its_traceback_and_without_the_address_in_it() -> None:
    def fail() -> None:
        raise DuplicateKeyError('dup key: { email_key: "eve@example.com" }')

    with pytest.raises(DuplicateKeyError) as caught:
        fail()
    line = written(exc_info=(caught.type, caught.value, caught.tb))
    assert line["error"]["type"] == "DuplicateKeyError"
    assert line["error"]["message"] == 'dup key: { email_key: "[email]" }'
    assert "test_logs.py" in line["error"]["stack_trace"]
    assert "eve@" not in json.dumps(line)


def test_what_a_library_hangs_on_a_record_is_left_out() -> None:
    """Django gives the request, whose text has the query string in it."""
    request = RequestFactory().get("/users/?email=eve@example.com")
    line = written(request=request, status_code=500, taskName="x", logger="odd", http="odd")
    assert line.keys() == {
        "@timestamp", "message", "ecs.version", "log.level", "log", "process", "service", "event",
    }  # fmt: skip


def test_lines_of_a_request_carry_its_id_and_others_none() -> None:
    assert written(request_id=REQUEST_ID)["http"] == {"request": {"id": REQUEST_ID}}
    record = logging.LogRecord("shop", logging.INFO, "x.py", 1, "Outside", (), None)
    RequestIdFilter().filter(record)
    assert "http" not in json.loads(EcsFormatter().format(record))


def test_a_refusal_for_want_of_room_is_no_error_of_the_server(
    alice: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = Slots(1, wait=0)
    monkeypatch.setattr(capacity, "LOGINS", full)
    with full.taken():
        answer = ApiClient().form("/token", username="alice", password=PASSWORD)
    assert answer.status == 503
    assert [r.message for r in caplog.records if r.name == "django.request"] == []


def test_a_fault_of_the_server_is_logged_with_its_request(
    anyone: ApiClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("accounts.services.LoginService.sign_in", broken)
    anyone._client.raise_request_exception = False
    assert anyone.form("/token", username="alice", password=PASSWORD).status == 500
    [line] = [r for r in caplog.records if r.name == "django.request"]
    assert (line.levelname, line.message) == ("ERROR", "Internal Server Error: /token")
    assert line.exc_info is not None


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What the configured handler writes."""
    [handler] = [h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler]
    written_lines = StringIO()
    monkeypatch.setattr(handler, "stream", written_lines)
    return written_lines


def test_a_request_for_a_wrong_host_is_one_short_line(anyone: ApiClient, console: StringIO) -> None:
    assert anyone.get("/products/", Host="evil.example" + "x" * 5000).status == 400
    [line] = console.getvalue().splitlines()
    assert " WARNING django.security.DisallowedHost [" in line
    assert "Invalid HTTP_HOST header: 'evil.example" in line
    assert len(line) < 350


@pytest.mark.parametrize(("path", "lines"), [("/token", 0), ("/auth/login/", 1)])
def test_a_form_of_too_many_fields_is_one_short_line_at_most(
    path: str, lines: int, anyone: ApiClient, console: StringIO
) -> None:
    fields = "&".join(f"a{number}=1" for number in range(1001)).encode()
    kind = "application/x-www-form-urlencoded"
    assert anyone.send("POST", path, raw=fields, content_type=kind).status == 400
    written = console.getvalue().splitlines()
    assert len(written) == lines
    assert all(" WARNING django.security.TooManyFieldsSent [" in line for line in written)
