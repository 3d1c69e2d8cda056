"""gunicorn's own logs as ECS lines: its access log on stdout, the rest on stderr."""

import ipaddress
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import orjson
from ecs_logging._meta import ECS_VERSION
from gunicorn.glogging import Logger

from ecommerce.core.logs.fields import ACCESS, SERVICE
from ecommerce.core.logs.formatter import EcsFormatter
from ecommerce.core.logs.redaction import redacted, redacted_query

PLAIN_FORMAT: Final = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms %({x-request-id}o)s'
"""What is written in development: the path alone, for a query string may hold an address."""
_PROBES: Final = frozenset({"/livez", "/readyz", "/metrics"})
_LONGEST: Final = 512
"""Characters of what clients make up: a line must go through a pipe in one piece (4 KiB)."""
_SHORT: Final = 40
"""Characters: none of our secrets has less."""


class EcsServerLogger(Logger):
    """gunicorn's `logger_class` in production."""

    def setup(self, cfg: Any) -> None:
        """After gunicorn's own: the format of what is no access."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(EcsFormatter())

    def access(
        self,
        resp: Any,
        req: Any,  # noqa: ARG002 - the environment has all of it
        environ: dict[str, Any],
        request_time: timedelta,
    ) -> None:
        """One line for a request. Probes that went well are not worth one."""
        if not self.access_log_enabled:
            return
        status = int(str(resp.status).split(maxsplit=1)[0])
        if status < 400 and environ.get("PATH_INFO") in _PROBES:
            return
        try:
            line = access_line(environ, status, resp.headers, resp.sent or 0, request_time)
            self.access_log.info("%s", line)
        except Exception:  # noqa: BLE001 - the answer is out; its line must not end the worker
            self.exception("A request could not be logged.")


def access_line(
    environ: dict[str, Any],
    status: int,
    headers: Iterable[tuple[str, str]],
    sent: int,
    duration: timedelta,
) -> str:
    """A request and its answer as one ECS line.

    Args:
        sent: bytes of the body.
        duration: from the first byte of the request to the last of the answer.
    """
    method, path = str(environ["REQUEST_METHOD"])[:32], _path(environ.get("PATH_INFO", ""))
    version = str(environ.get("SERVER_PROTOCOL", "")).removeprefix("HTTP/")
    query, address = redacted_query(environ.get("QUERY_STRING", "")), _client(environ)
    browser, request_id = _text(environ.get("HTTP_USER_AGENT", "")), _request_id(headers)
    line: dict[str, Any] = {  # as it goes out: to nest dotted names takes as long as all the rest
        "@timestamp": datetime.now(UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
        "log.level": "info" if status < 500 else "error",
        "message": f"{method} {path} {status}",
        "ecs.version": ECS_VERSION,
        "log": {"logger": "gunicorn.access"},
        "service": {"name": SERVICE},
        "process": {"pid": os.getpid()},
        "event": {
            "dataset": ACCESS,
            "kind": "event",
            "category": ["web"],
            "type": ["access"],
            "outcome": "success" if status < 400 else "failure",
            "duration": duration // timedelta(microseconds=1) * 1000,
        },
        "http": {
            "request": {"method": method, "id": request_id} if request_id else {"method": method},
            "response": {"status_code": status, "body": {"bytes": sent}},
            **({"version": version} if version else {}),
        },
        "url": {"path": path, "query": query} if query else {"path": path},
    }
    if address:
        line["client"] = {"ip": address}
    if browser:
        line["user_agent"] = {"original": browser}
    return orjson.dumps(line).decode()


def _path(raw: str) -> str:
    """Most paths are too short for a secret and have no address in them."""
    return raw if len(raw) < _SHORT and raw.isascii() and "@" not in raw else _text(raw)


@lru_cache(1000)  # the same browsers and addresses come again and again
def _text(raw: str) -> str:
    """What a client wrote, which WSGI gives as Latin-1."""
    return redacted(raw.encode("latin-1", "replace").decode("utf-8", "replace"))[:_LONGEST]


def _request_id(headers: Iterable[tuple[str, str]]) -> str:
    return next((value for name, value in headers if name.lower() == "x-request-id"), "")


def _client(environ: dict[str, Any]) -> str | None:
    """The client's address, if it is one: Elasticsearch takes no other."""
    from ecommerce.core.client_address import address_of  # it reads settings, which workers have

    address = address_of(environ)
    return address if _is_address(address) else None


@lru_cache(1000)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
