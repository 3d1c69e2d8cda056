"""The headers of answers in the OpenAPI document: each said once, and referred to where it is sent.

Which are sent follows from what the document says anyway: a status, a parameter, a shape. So no
operation has to name its own; `Location` alone is a parameter of the action that makes something.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ecommerce.core.problems import PROBLEM_TYPE

_TEXT: Final = {"type": "string"}
_SECONDS: Final = {"type": "integer", "minimum": 0}
_HEADERS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "X-Request-ID": ("Names this request in logs: the one that was sent, or a new one.", _TEXT),
    "RateLimit-Policy": (
        'Limits that the call counts under, such as `"writes";q=60;w=60`: 60 in 60 seconds.',
        _TEXT,
    ),
    "RateLimit": ('What is left of them, such as `"writes";r=59;t=12`, and for how long.', _TEXT),
    "Retry-After": ("Seconds after which to try again.", _SECONDS),
    "WWW-Authenticate": (
        'Ways to say who is calling; `error="invalid_token"`: not with the token that was sent.',
        _TEXT,
    ),
    "ETag": ("The version, for `If-Match` and `If-None-Match`.", _TEXT),
    "Last-Modified": (
        "When it changed, for `If-Modified-Since`. Missing for two seconds after a change.",
        _TEXT,
    ),
    "Link": ("`next` and `previous` of the page once more (RFC 8288).", _TEXT),
}
_CONDITIONS: Final = frozenset({"If-Match", "If-None-Match"})
_TAGGED: Final = frozenset({"200", "201", "304"})
_PAGE: Final = frozenset({"items", "next", "previous"})
_MADE_BEFORE_ANY_REQUEST: Final = "414"
"""By gunicorn, in plain text: see `URI_TOO_LONG`."""


def declare_headers(document: dict[str, Any], operations: Iterable[dict[str, Any]]) -> None:
    """Add to each answer of each operation the headers that it may have."""
    components = document["components"]
    components["headers"] = {
        name: {"description": words, "schema": dict(schema)}
        for name, (words, schema) in _HEADERS.items()
    }
    for operation in operations:
        for status, answer in operation["responses"].items():
            if status == _MADE_BEFORE_ANY_REQUEST:
                continue
            for name in _names(operation, status, answer, components["schemas"]):
                reference = {"$ref": f"#/components/headers/{name}"}
                answer.setdefault("headers", {}).setdefault(name, reference)


def _names(
    operation: Mapping[str, Any],
    status: str,
    answer: Mapping[str, Any],
    schemas: Mapping[str, Any],
) -> Iterator[str]:
    yield from ("X-Request-ID", "RateLimit-Policy", "RateLimit")
    if status == "401":
        yield "WWW-Authenticate"
    if status in {"429", "503"} or "operation_in_progress" in _codes(answer):
        yield "Retry-After"
    sent = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"}
    if status in _TAGGED and (
        "Location" in answer.get("headers", ()) or not _CONDITIONS.isdisjoint(sent)
    ):
        yield "ETag"
    if status in _TAGGED and "If-Modified-Since" in sent:
        yield "Last-Modified"
    if status == "200" and _is_page(answer, schemas):
        yield "Link"


def _codes(answer: Mapping[str, Any]) -> set[str]:
    examples = answer.get("content", {}).get(PROBLEM_TYPE, {}).get("examples", {})
    return {example["value"]["code"] for example in examples.values()}


def _is_page(answer: Mapping[str, Any], schemas: Mapping[str, Any]) -> bool:
    shapes = [kind["schema"].get("$ref", "") for kind in answer.get("content", {}).values()]
    known = [schemas.get(reference.rpartition("/")[2], {}) for reference in shapes]
    return any(shape.get("properties", {}).keys() >= _PAGE for shape in known)
