"""HEAD answers as GET, without a body that nobody reads being made."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.test import RequestFactory

from ecommerce.core.head_requests import HeadWithoutBody


class Export:
    """An answer that takes long to make."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(3):
            self.made += 1
            yield b"row\n"

    def close(self) -> None:
        self.closed = True


def ask(method: str, export: Any) -> Iterable[bytes]:
    started: list[str] = []

    def application(_: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return export

    environ = {"REQUEST_METHOD": method}
    response = HeadWithoutBody(application)(environ, lambda status, _: started.append(status))
    assert started == ["200 OK"]
    return response


def test_of_a_head_nothing_is_made_and_all_is_closed() -> None:
    export = Export()
    response: Any = ask("HEAD", export)
    assert list(response) == []
    response.close()
    assert (export.made, export.closed) == (0, True)


def test_an_answer_without_close_is_none_to_close() -> None:
    response: Any = ask("HEAD", [b"body"])
    assert list(response) == []
    response.close()


def test_other_methods_get_what_was_answered() -> None:
    export = Export()
    assert ask("GET", export) is export


def served(method: str) -> tuple[str, dict[str, str], bytes]:
    """Status, headers and body as the server would send them."""
    from ecommerce import wsgi  # connects, which is for after the watchers of operations

    started: list[tuple[str, dict[str, str]]] = []
    environ = RequestFactory().generic(method, "/products/").environ
    response: Any = wsgi.application(
        environ, lambda status, headers, *_: started.append((status, dict(headers)))
    )
    body = b"".join(response)
    response.close()
    [(status, headers)] = started
    return status, headers, body


def test_the_server_answers_head_with_the_headers_of_get() -> None:
    status, headers, body = served("GET")
    told_status, told, nothing = served("HEAD")
    assert (status, told_status, nothing) == ("200 OK", "200 OK", b"")
    assert told["Content-Length"] == str(len(body)) > "0"
    for own in ("X-Request-ID", "RateLimit"):
        headers.pop(own, None)
        told.pop(own, None)
    assert told == headers
