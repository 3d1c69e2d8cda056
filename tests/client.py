"""A client as the tests use it: JSON in, JSON out, a bearer token in the header."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, Final
from urllib.parse import urlencode

from django.dispatch import receiver
from django.test import Client
from django.test.client import ClientHandler
from django.test.signals import setting_changed

from accounts.principal import Principal
from accounts.services import TokenPair

PASSWORD: Final = "correct-horse-9"


def cut_short(raw: bytes, stream: type[BytesIO] = BytesIO) -> dict[str, Any]:
    """The environment of a request whose connection breaks 50 bytes before its body ends."""
    return {"wsgi.input": stream(raw), "CONTENT_LENGTH": str(len(raw) + 50)}


class Reset(BytesIO):
    """The connection is reset while the body comes."""

    def read(self, size: int | None = -1, /) -> bytes:
        """What there is, and then the fault of the connection."""
        if block := super().read(size):
            return block
        raise ConnectionResetError(104, "Connection reset by peer")


class Answer:
    """What came back."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.body: bytes = response.getvalue()  # streamed or not

    def __getitem__(self, member: str) -> Any:
        """A member of the JSON answer."""
        return self.json()[member]

    def json(self) -> Any:
        """The JSON answer."""
        return json.loads(self.body)

    @property
    def outcome(self) -> tuple[int, str]:
        """Status and problem code: what a test of a refusal asserts."""
        content = self.json()
        return self.status, content.get("code") or content.get("error", "")

    @property
    def pointers(self) -> list[str]:
        """Where the faults of a validation problem are."""
        return [fault["pointer"] for fault in self["errors"]]


@cache
def _application() -> ClientHandler:
    """One for all clients: a new one looks at every static file again, which takes 10 ms."""
    handler = ClientHandler(enforce_csrf_checks=False)
    handler.load_middleware()
    return handler


@receiver(setting_changed)
def _forget_application(**_: Any) -> None:
    """Middleware reads its settings once, when it is made."""
    _application.cache_clear()


class ApiClient:
    """Sends what a client of the API would send; `token` may be replaced at any time.

    A machine gives its whole `authorization` header instead of a bearer token.
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        authorization: str | None = None,
        address: str = "127.0.0.1",
        device: str = "",
    ) -> None:
        headers = {"User-Agent": device} if device else {}
        self._client = Client(raise_request_exception=True, headers=headers, REMOTE_ADDR=address)
        self._client.handler = _application()
        self.token = token
        self._authorization = authorization

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        environ: Mapping[str, Any] | None = None,
    ) -> "Answer":
        """One request. `raw` sends bytes as they are; header names use underscores; `environ` is
        what a server would hand on otherwise."""
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if self._authorization is not None:
            sent.setdefault("Authorization", self._authorization)
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        kind = content_type if data or raw is not None else ""
        return Answer(
            self._client.generic(
                method, path, data, content_type=kind, headers=sent, **(environ or {})
            )
        )

    def get(self, path: str, **headers: str) -> "Answer":
        """GET."""
        return self.send("GET", path, headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> "Answer":
        """POST with a JSON body."""
        return self.send("POST", path, body, headers=headers)

    def put(self, path: str, body: Any = None, **headers: str) -> "Answer":
        """PUT with a JSON body."""
        return self.send("PUT", path, body, headers=headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> "Answer":
        """PATCH with a JSON body."""
        return self.send("PATCH", path, body, headers=headers)

    def delete(self, path: str, **headers: str) -> "Answer":
        """DELETE."""
        return self.send("DELETE", path, headers=headers)

    def form(self, path: str, **fields: str) -> "Answer":
        """POST an HTML form, as OAuth2 wants it."""
        body = urlencode(fields).encode()
        kind = "application/x-www-form-urlencoded"
        return self.send("POST", path, raw=body, content_type=kind)


@dataclass(frozen=True)
class Person:
    """Somebody with an account, signed in."""

    principal: Principal
    api: ApiClient
    tokens: TokenPair

    @property
    def id(self) -> str:
        """The id as the API writes it."""
        return self.principal.pk
