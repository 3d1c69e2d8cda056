"""No log holds a secret: each kind is sent through every path that takes it, whatever comes of it.

The root logger is at DEBUG, so libraries speak too; records are kept as production writes them
(ECS JSON, with tracebacks), once without and once with its redaction, and each request as gunicorn
would write it into its access log.
"""

import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import ecs_logging
import pytest
from django.conf import settings as settings_of_django
from django.core.signing import dumps
from django.test import Client
from gunicorn.config import AccessLogFormat
from pymongo.errors import AutoReconnect

from accounts.documents import User
from accounts.rules import Scope
from accounts.services import ApiKeyService
from catalog.documents import ProductRow
from demo.management.commands.serve import Command as Serve
from ecommerce.core.logs.formatter import EcsFormatter
from ecommerce.core.logs.server import PLAIN_FORMAT, access_line
from ecommerce.core.mongo import collection
from ecommerce.core.request_ids import RequestIdFilter
from tests.client import PASSWORD, Answer, ApiClient, Person
from tests.inbox import Inbox

WRONG = "wrong-kettle-31337"
NEW = "new-kettle-4242-x"
KEY = "idem-secret-5f1c8a52-0d5e"


class Log:
    """All that was written."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.statuses: set[int] = set()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def access(self, answer: Answer) -> None:
        """The lines that gunicorn writes for an answer: its own, ours, and that of production."""
        environ = answer.response.wsgi_request.META
        query = environ.get("QUERY_STRING", "")
        path = environ["PATH_INFO"] + (f"?{query}" if query else "")
        atoms = {
            "h": environ["REMOTE_ADDR"], "l": "-", "u": "-", "t": "[now]", "s": answer.status,
            "r": f"{environ['REQUEST_METHOD']} {path} HTTP/1.1", "b": len(answer.body),
            "f": environ.get("HTTP_REFERER", "-"), "a": environ.get("HTTP_USER_AGENT", "-"),
            "m": environ["REQUEST_METHOD"], "U": environ["PATH_INFO"], "B": len(answer.body),
            "M": 12, "{x-request-id}o": answer.headers["X-Request-ID"],
        }  # fmt: skip
        headers = list(answer.headers.items())
        took = timedelta(milliseconds=12)
        self.statuses.add(answer.status)
        self.stream.write(AccessLogFormat.default % atoms + "\n")
        self.stream.write(PLAIN_FORMAT % atoms + "\n")
        size = len(answer.body)
        self.stream.write(access_line(environ, answer.status, headers, size, took) + "\n")


@pytest.fixture
def log() -> Iterator[Log]:
    """Everything from DEBUG on, of our loggers and of those of the libraries."""
    written = Log()
    handlers = [_writing(to=written, as_=ecs_logging.StdlibFormatter())]
    handlers.append(_writing(to=written, as_=EcsFormatter()))
    root = logging.getLogger()
    level = root.level
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    for handler in handlers:
        root.removeHandler(handler)
    root.setLevel(level)


def _writing(*, to: Log, as_: logging.Formatter) -> logging.Handler:
    handler = logging.StreamHandler(to.stream)
    handler.setFormatter(as_)
    handler.addFilter(RequestIdFilter())
    return handler


def assert_absent(log: Log, secrets: dict[str, str]) -> None:
    """Neither as it is, nor quoted, nor its second half."""
    for kind, secret in secrets.items():
        assert len(secret) >= 8, kind
        for shape in {secret, quote(secret, safe=""), secret[len(secret) // 2 :]}:
            assert shape not in log.text, f"{kind} was written"


FAULTS = {200: None, 503: AutoReconnect("connection closed"), 500: RuntimeError("broken")}


@pytest.fixture(params=FAULTS)
def weather(
    request: Any, log: Log, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], None]]:
    """Once started: requests succeed, find no store, or meet a fault of ours; some must."""
    fault = FAULTS[request.param]

    def start() -> None:
        if fault is None:
            return

        def broken(*_: Any, **__: Any) -> Any:
            raise fault

        store = type(collection(User))
        for name in ("find_one", "find_one_and_update", "insert_one"):
            monkeypatch.setattr(store, name, broken)

    yield start
    expected = min(log.statuses) < 300 if fault is None else request.param in log.statuses
    assert expected, f"not one such answer: {log.statuses}"


def test_no_password_is_written(log: Log, weather: Callable[[], None], alice: Person) -> None:
    weather()
    api, anyone = quiet(alice.api), quiet(ApiClient())
    eve = {"username": "eve", "email": "eve@example.com"}
    change = "/users/me/password"
    for answer in (
        anyone.form("/token", username="alice", password=PASSWORD),
        anyone.form("/token", username="alice", password=WRONG),
        anyone.form("/token", username="nobody", password=WRONG),
        anyone.form("/token", username=WRONG, password="x"),  # typed into the wrong field
        anyone.send("POST", "/token", {"username": "alice", "password": WRONG}),
        anyone.form("/auth/login/", username="alice", password=PASSWORD),
        anyone.form("/auth/login/", username="alice", password=WRONG),
        anyone.post("/users/", {**eve, "password": NEW}),
        anyone.post("/users/", {**eve, "password": [NEW]}),
        anyone.send("POST", "/users/", raw=f'{{"password": "{NEW}"'.encode()),
        api.post(change, {"current_password": WRONG, "new_password": NEW}),
        api.patch("/users/me", {"password": NEW, "current_password": WRONG}),
        api.post(change, {"current_password": PASSWORD, "new_password": NEW, "x": NEW}),
        api.post(change, {"current_password": PASSWORD, "new_password": NEW}),
    ):
        log.access(answer)
    assert 400 in log.statuses
    assert_absent(log, {"right": PASSWORD, "wrong": WRONG, "new": NEW})


def test_no_token_key_or_header_that_is_a_secret_is_written(
    log: Log, weather: Callable[[], None], alice: Person, lamp: ProductRow
) -> None:
    _, key = ApiKeyService.create(
        name="Robot", scopes=[Scope.CATALOG_READ], lifetime=timedelta(days=1)
    )
    guest = ApiClient().post("/shopping-carts/", {})
    cart, secret = f"/shopping-carts/{guest['id']}", guest["cart_token"]
    session = dumps({"user_id": alice.id, "token_version": 0}, salt="django.contrib.sessions")
    access, refresh = alice.tokens.access_token, alice.tokens.refresh_token
    made_up = "made-up-credential-99"
    weather()
    anyone = quiet(ApiClient())
    for header in (
        f"Bearer {access}", f"Api-Key {key}", f"Bearer {access} {access}", f"Basic {made_up}",
        f"Bearer {access}x", f"Api-Key {key}x", f"Bearer {refresh}", f"Bearer {key}", access,
        f"Api-Key {made_up}", f"{made_up}", f"Bearer \u00e9{made_up}",
    ):  # fmt: skip
        for path in ("/users/me", "/products/", "/shopping-carts/"):
            log.access(anyone.get(path, Authorization=header))
    for token in (secret, f"{secret}x"):
        log.access(anyone.get(cart, X_Cart_Token=token))
        log.access(anyone.post(f"{cart}/items", {"product_id": "x"}, X_Cart_Token=token))
        log.access(anyone.post("/shopping-carts/", {}, X_Cart_Token=token, Idempotency_Key=KEY))
    log.access(anyone.get("/users/me", Cookie=f"sessionid={session}"))
    for token in (refresh, refresh, f"{refresh}x", access):
        log.access(anyone.form("/token", grant_type="refresh_token", refresh_token=token))
        log.access(anyone.form("/token/revoke", token=token))
    assert 401 in log.statuses
    secrets = {
        "access token": access, "refresh token": refresh, "API key": key.partition(".")[2],
        "cart token": secret, "session": session, "made up": made_up, "Idempotency-Key": KEY,
    }  # fmt: skip
    assert_absent(log, secrets)


def test_no_token_of_a_mail_is_written(
    log: Log, weather: Callable[[], None], alice: Person, inbox: Inbox
) -> None:
    ApiClient().post("/password-reset", {"email": "alice@example.com"})
    token = inbox.token("alice@example.com")
    weather()
    anyone = quiet(ApiClient())
    for body in ({"token": token, "new_password": "short"}, {"token": token, "new_password": NEW}):
        log.access(anyone.post("/password-reset/confirm", body))
    log.access(anyone.post("/users/verify-email", {"token": token}))
    log.access(anyone.post("/password-reset/confirm", {"token": [token], "new_password": NEW}))
    assert 400 in log.statuses
    assert 204 in log.statuses or log.statuses & {500, 503}, "it was used, unless that failed"
    assert_absent(log, {"token": token, "new password": NEW})


def test_no_setting_that_is_a_secret_is_written(
    log: Log, alice: Person, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = "database-secret-77"
    settings.MONGODB_URI = f"mongodb://shop:{password}@127.0.0.1:1/shop"

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the database could not be used")

    monkeypatch.setattr("catalog.selectors.product_page", broken)
    anyone = quiet(ApiClient())
    for answer in (anyone.get("/products/"), alice.api.get("/users/me"), anyone.get("/readyz")):
        log.access(answer)
        assert password.encode() not in answer.body
    assert log.statuses >= {200, 500}
    assert "the database could not be used" in log.text, "the fault itself is there"
    assert_absent(log, {"SECRET_KEY": settings.SECRET_KEY, "database password": password})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONGODB_URI", "mongodb://shop:half/sesame77@db.example/shop"),
        ("MONGODB_URI", "mongodb://shop:half/sesame77@localhost:1/shop"),
        ("MONGODB_URI", "mongodb://shop:half@sesame77@db.example/shop"),
        ("MONGODB_URI", "mongodb://shop:half:sesame77@db.example/shop"),
        ("MONGODB_URI", "mongodb://shop:sesame77@"),
        ("MONGODB_URI", "shop:sesame77@db.example"),
        ("REDIS_URL", "http://:sesame77@cache.example"),
        ("EMAIL_URL", "smtp://shop:half/sesame77@mail.example:port"),
        ("SECRET_KEY", "sesame77"),
    ],
)
def test_a_setting_that_is_refused_is_not_repeated(name: str, value: str) -> None:
    variables = {k: v for k, v in os.environ.items() if k != "MONGODB_URI"}
    variables |= {"DJANGO_SETTINGS_MODULE": "ecommerce.settings.production", name: value}
    command = [sys.executable, "manage.py", "check"]
    run = subprocess.run(
        command, cwd=settings_of_django.BASE_DIR, env=variables, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert run.stderr.startswith(f"Cannot start: {name} ")
    assert "sesame77" not in run.stdout + run.stderr


def test_the_start_banner_names_no_password(settings: Any) -> None:
    settings.REDIS_URL = "redis://:sesame77@cache.example:6379/0"
    said = io.StringIO()
    Serve(stdout=said)._say_where("127.0.0.1", 8000)
    assert "Cache                Redis" in said.getvalue()
    assert "sesame77" not in said.getvalue()


def test_no_request_writes_a_line_of_its_own(log: Log, alice: Person) -> None:
    forged = "2026-01-01 ERROR forged"
    anyone = quiet(ApiClient())
    answers = (
        anyone.get(f"/nothing%0d%0a{quote(forged)}"),
        anyone.get("/livez", X_Request_ID=f"a-request-id\r\n{forged}"),
        anyone.get("/users/me", Authorization=f"Bearer x\r\n{forged}"),
        anyone.form("/token", username=f"alice\r\n{forged}", password="x"),
        anyone.get("/products/", Host=f"evil\r\n{forged}"),
    )
    assert [answer.status for answer in answers] == [404, 200, 401, 400, 400]
    assert not any(line.startswith(forged) for line in log.text.splitlines())


def test_the_log_is_really_read(log: Log) -> None:
    logging.getLogger("ecommerce.anything").debug("a password: %s", PASSWORD)
    with pytest.raises(AssertionError, match="right was written"):
        assert_absent(log, {"right": PASSWORD})


def quiet(api: ApiClient) -> ApiClient:
    """Answers a fault of ours as a server does, instead of raising it in the test."""
    client: Client = api._client
    client.raise_request_exception = False
    return api
