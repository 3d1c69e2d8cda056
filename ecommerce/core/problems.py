"""Every error the product answers, as RFC 9457 `application/problem+json`.

The one place that knows how an exception becomes HTTP: DRF's handler for its views, a middleware
for Django's, Django's `handler4xx` for what happens before a view is found. What is not known here
is a 500 without any internals in it, and a log entry with all of them.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import render
from pymongo.errors import PyMongoError
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.core import mongo
from ecommerce.core.errors import (
    MAX_FAULTS,
    DomainError,
    FieldError,
    NotFoundError,
    StoreUnavailableError,
    ValidationFailedError,
    domain_titles,
    pointer_to,
)
from ecommerce.core.json_output import to_json
from ecommerce.core.parsers import IncompleteBodyError, UnfitValueError
from ecommerce.core.request_ids import current_request_id

logger = logging.getLogger(__name__)

PROBLEM_TYPE: Final = "application/problem+json"
_TITLES: Final = {
    400: "The request is not valid",
    401: "Sign in first",
    403: "Not allowed",
    404: NotFoundError.title,
    405: "Method not allowed",
    406: "No such representation",
    413: "The body is too large",
    415: "Unsupported media type",
    429: "Too many requests",
    500: "Something went wrong on our side",
}
_SIGN_IN: Final = (
    "POST /token gives a token for a username and a password: send it as `Authorization: Bearer "
    "<access_token>`. Machines send an API key."
)
_UNCODED: Final = {
    400: "bad_request",
    403: "permission_denied",
    404: "not_found",
    500: "internal_error",
}


def problem(
    *, status: int, code: str, detail: str, path: str, title: str = "", **members: Any
) -> dict[str, Any]:
    """The members of a problem document (RFC 9457 section 3), ours last."""
    return {
        "type": f"urn:problem-type:shop:{code.replace('_', '-')}",
        "title": title or _title_of_status(status),
        "status": status,
        "detail": detail,
        "instance": path,
        "code": code,
        "request_id": current_request_id(),
        **members,
    }


def title_of(status: int, code: str) -> str:
    """The title of every problem with this status and code."""
    return domain_titles().get((status, code)) or _title_of_status(status)


def _title_of_status(status: int) -> str:
    return _TITLES.get(status, HTTPStatus(status).phrase)


def problem_response(
    request: HttpRequest, *, status: int, detail: str, code: str = ""
) -> HttpResponse:
    """A problem document where DRF is not at work (middleware, unknown paths)."""
    body = problem(
        status=status, code=code or _UNCODED[status], detail=detail, path=safe_path(request.path)
    )
    return HttpResponse(to_json(body), status=status, content_type=PROBLEM_TYPE)


class PlainViewMiddleware:
    """What a view that is not DRF's refuses or fails with becomes a problem, as all others are.

    People get a page: a browser asks for HTML.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Whatever was answered; a refusal keeps its `Allow`."""
        response = self._get_response(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or not _is_bare(request, response):
            return response
        detail = "This method does nothing here: `Allow` names those that do."
        refusal = problem_response(request, status=405, code="method_not_allowed", detail=detail)
        refusal["Allow"] = response["Allow"]
        return refusal

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """What is known of what a view raised; None lets Django log it and answer `handler500`."""
        return answer_of_plain_view(request, exception)


def answer_of_plain_view(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """The problem, or the page about it, where DRF is not at work; None for what is not known."""
    answer = _known_response(exception, safe_path(request.path))
    if answer is None:
        return None
    body, status = answer.data, answer.status_code
    if _asks_for_page(request):
        page = render(request, "problem.html", body, status=status)
    else:
        page = HttpResponse(to_json(body), status=status, content_type=PROBLEM_TYPE)
    for name, value in answer.headers.items():
        page.headers.setdefault(name, value)
    return page


def _is_bare(request: HttpRequest, response: HttpResponse) -> bool:
    is_page = response.get("Content-Type", "").startswith("text/html")
    return is_page and not _asks_for_page(request)


def _asks_for_page(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "")


def safe_path(path: str) -> str:
    """The path as it may stand in JSON: broken Unicode replaced, at most 500 characters."""
    return path.encode("utf-8", "replace").decode("utf-8")[:500]


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER. None lets Django log it and answer `handler500`."""
    request: Request = context["request"]
    return _known_response(exc, safe_path(request.path))


def _known_response(exc: Exception, path: str) -> Response | None:
    known = known_error(exc)
    if known is None:
        return None
    if isinstance(known, DomainError):
        return _domain_response(known, path)
    return _api_response(known, path)


def known_error(exc: Exception) -> DomainError | exceptions.APIException | None:
    """What a view raised as an error that says its status; None for what is not known."""
    if isinstance(exc, DomainError | exceptions.APIException):
        return exc
    if isinstance(exc, Http404):
        return NotFoundError()
    if isinstance(exc, UnreadablePostError):  # the connection broke while the body came
        return IncompleteBodyError()
    if isinstance(exc, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(exc, PyMongoError) and mongo.is_outage(exc):
        logger.error("The database does not answer: %s", exc)
        return StoreUnavailableError()
    return None


def _domain_response(error: DomainError, path: str) -> Response:
    body = problem(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        path=path,
        **error.members,
    )
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return Response(body, status=error.status, headers=headers)


def _api_response(error: exceptions.APIException, path: str) -> Response:
    if isinstance(error, exceptions.ValidationError):
        faults = islice(field_errors(error.detail), MAX_FAULTS)
        return _domain_response(ValidationFailedError(*faults), path)
    members: dict[str, Any] = {}
    headers: dict[str, str] = {}
    code, detail = str(error.get_codes()), str(error.detail)
    if isinstance(error, exceptions.NotAuthenticated):  # DRF's own only says that it is so
        detail = _SIGN_IN
    elif isinstance(error, UnfitValueError) and (fault := error.error):
        members["errors"] = [fault.as_dict()]
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    body = problem(status=error.status_code, code=code, detail=detail, path=path, **members)
    return Response(body, status=error.status_code, headers=headers)


def field_errors(detail: Any, pointer: str = "") -> Iterator[FieldError]:
    """Flatten DRF's nested error structure into faults with JSON pointers (RFC 6901)."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from field_errors(value, _child(pointer, str(key)))
    elif isinstance(detail, list):
        for value in detail:
            yield from field_errors(value, pointer)
    else:
        yield FieldError(pointer, str(getattr(detail, "code", "invalid")), str(detail))


def _child(pointer: str, key: str) -> str:
    if not key:  # a rule over several fields: it belongs to the object itself
        return pointer
    return pointer + pointer_to(key)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: wrong host, too many fields, broken framing."""
    code = "invalid_host" if type(exception).__name__ == "DisallowedHost" else ""
    detail = (
        "This server does not answer for the host name in the request: `ALLOWED_HOSTS` has those "
        "that it answers for."
        if code
        else "The request could not be understood."
    )
    return problem_response(request, status=400, code=code, detail=detail)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Django's handler403."""
    return problem_response(request, status=403, detail="This is not allowed.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Django's handler404: no route. /docs lists those that exist."""
    return problem_response(
        request, status=404, detail="There is nothing at this address. /docs lists every path."
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: the log holds the cause under this request's id."""
    return problem_response(
        request, status=500, detail="The fault is logged under this request id. Try again later."
    )
