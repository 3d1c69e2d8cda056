"""The OpenAPI document: how viewsets become operations, and which problems each may answer."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from ecommerce.core import money
from ecommerce.core.access import AccessRule
from ecommerce.core.fields import PriceField
from ecommerce.core.idempotency import IDEMPOTENCY_KEY, REPLAYED, is_idempotent
from ecommerce.core.openapi_headers import declare_headers
from ecommerce.core.parsers import IncompleteBodyError, StrictJSONParser
from ecommerce.core.problems import PROBLEM_TYPE, title_of
from ecommerce.core.serializers import Problem, StrictSerializer

_OPTIONAL_SLASH: Final = re.compile(r"/\?$")

IF_MATCH: Final = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description='Write only if the version is still this one, for example `"v3"`; else 412.',
)
IF_NONE_MATCH: Final = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="Answer 304 without a body if the representation still has this ETag.",
)
IF_MODIFIED_SINCE: Final = OpenApiParameter(
    "If-Modified-Since",
    str,
    OpenApiParameter.HEADER,
    description=(
        "Answer 304 without a body if `Last-Modified` is still this one, to the letter. Counts "
        "only without `If-None-Match`."
    ),
)
_LOCATION: Final = OpenApiParameter(
    "Location",
    {"type": "string", "format": "uri"},
    OpenApiParameter.HEADER,
    description="Where what was made is read.",
    response=[201, 202],
)
_OF_PUT: Final = (
    "Send the members of the schema alone: what is set by the server (`id`, `version` …) is "
    "refused, though the answer has it."
)
_IDEMPOTENCY: Final = (
    OpenApiParameter(
        IDEMPOTENCY_KEY,
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        OpenApiParameter.HEADER,
        description=(
            "A random text, such as a UUID, for what shall happen once: the request and its "
            "retries with the same key have one effect and one answer. Kept 24 hours. What was "
            "refused may be sent again under its key as it was, and is then looked at anew: "
            "corrected input needs a new key. Who neither signs in nor sends an `X-Cart-Token` "
            "needs a key of at least 16 characters."
        ),
    ),
    OpenApiParameter(
        REPLAYED,
        {"type": "string", "enum": ["true"]},
        OpenApiParameter.HEADER,
        description="The answer to a repeated request; nothing was done a second time.",
        response=[200, 201, 202],
    ),
)
_IDEMPOTENCY_PROBLEMS: Final = (
    (400, "invalid_idempotency_key"),
    (409, "operation_in_progress"),
    (422, "idempotency_key_reused"),
)

_PROBLEMS: Final = (
    (400, "validation_error"),
    (400, "invalid_utf8"),
    (400, "nul_character"),
    (406, "not_acceptable"),
    (503, "store_unavailable"),
)
"""Of every action of ours: no query is known but the declared, no answer but in JSON, and none
without the database."""
_PROBLEMS_OF_WHO_ASKS: Final = ((401, "invalid_token"), (401, "invalid_api_key"))
"""Wherever a token or a key is read, whether one is needed or not."""
_METHODS_WITH_BODIES: Final = frozenset({"POST", "PUT", "PATCH"})
_PROBLEMS_OF_BODIES: Final = (
    (411, "length_required"),
    (413, "body_too_large"),
    (415, "unsupported_content_encoding"),
)
"""Of every body, whoever reads it (see `ecommerce.core.framing`)."""
_PROBLEMS_OF_JSON: Final = (
    (400, "malformed_json"),
    (400, "duplicate_key"),
    (400, "too_deep"),
    (400, "integer_out_of_range"),
    (400, "invalid_unicode"),
)
"""Of every body of JSON (see `ecommerce.core.parsers`)."""


class ShopAutoSchema(AutoSchema):
    """Reads `inputs` and `queries` of ShopViewSet, so that views declare each of them once."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Say of each operation who may call it, in words and as `x-permission`."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None and (rule := self.access_rule):
            replaced = _OF_PUT if self.method == "PUT" else ""
            parts = [operation.get("description", ""), replaced, f"Who may: {rule.who}."]
            operation["description"] = "\n\n".join(filter(None, parts))
            operation["x-permission"] = rule.name
        return operation

    def get_auth(self) -> list[dict[str, Any]]:
        """The ways to sign in; none is needed where the rule asks nothing."""
        schemes: list[dict[str, Any]] = super().get_auth()
        rule = self.access_rule
        return [*schemes, {}] if schemes and rule and rule.is_public else schemes

    @property
    def access_rule(self) -> AccessRule | None:
        """Who may call the operation."""
        permissions = self.view.get_permissions()
        return next((found for found in permissions if isinstance(found, AccessRule)), None)

    def get_request_serializer(self) -> Any:
        """The serializer that validates the body of this action."""
        inputs = getattr(self.view, "inputs", {})
        return inputs.get(getattr(self.view, "action", None))

    def map_parsers(self) -> list[str]:
        """Forms are read only for the browsable pages."""
        declared = super().map_parsers()
        return [kind for kind in declared if "json" in kind] or declared

    def map_renderers(self, attribute: str) -> list[str]:
        """JSON alone: HTML is for people."""
        return [kind for kind in super().map_renderers(attribute) if kind != "text/html"]

    def get_override_parameters(self) -> list[Any]:
        """The declared query parameters of the action, and what `@idempotent` adds."""
        query = getattr(self.view, "queries", {}).get(getattr(self.view, "action", None))
        return [
            *([query] if query else []),
            *(_IDEMPOTENCY if self._is_idempotent() else ()),
            *([_LOCATION] if getattr(self.view, "action", None) == "create" else ()),
        ]

    def _is_idempotent(self) -> bool:
        return is_idempotent(getattr(self.view, getattr(self.view, "action", None) or "", None))

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        """The declared answers, and the problems that the rule and `@idempotent` add."""
        bodies = super()._get_response_bodies(direction)
        for (status, media_type), response in problems(*self._further_problems()).items():
            added = self._get_response_for_code(  # type: ignore[no-untyped-call]  # the library's
                response, str(status), [media_type]
            )
            _add_problem(bodies.setdefault(str(status), added), added, media_type)
        return bodies

    def _further_problems(self) -> list[tuple[int, str]]:
        rule = self.access_rule
        denied = [(403, "permission_denied")] if rule and not rule.is_public else []
        is_ours, has_body = hasattr(self.view, "queries"), self.method in _METHODS_WITH_BODIES
        return [
            *(_PROBLEMS if is_ours else ()),
            *([(400, "unsupported_condition")] if is_ours and self.method != "GET" else ()),
            *(_PROBLEMS_OF_BODIES if has_body else ()),
            *([(400, IncompleteBodyError.default_code)] if is_ours and has_body else ()),
            *(_PROBLEMS_OF_JSON if has_body and self._reads_json() else ()),
            *(_PROBLEMS_OF_WHO_ASKS if self.get_auth() else ()),
            *denied,
            *(_IDEMPOTENCY_PROBLEMS if self._is_idempotent() else ()),
        ]

    def _reads_json(self) -> bool:
        return any(isinstance(one, StrictJSONParser) for one in self.view.get_parsers())

    def _is_list_view(self, serializer: Any = None) -> bool:  # noqa: ARG002
        """Never: lists answer a page, which is an object."""
        return False

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        """Say what StrictSerializer does: a member that nobody declared is refused."""
        schema: dict[str, Any] = super()._map_basic_serializer(  # type: ignore[no-untyped-call]  # the same
            serializer, direction
        )
        if isinstance(serializer, StrictSerializer) and direction == "request":
            schema["additionalProperties"] = False
        return schema

    def get_tags(self) -> list[str]:
        """The first part of the path: `users`, `products`, `shopping-carts`."""
        return [self.path.strip("/").split("/")[0]]


class PriceFieldExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # its base registers it
    """A price: a number, or in requests also a decimal string."""

    target_class = PriceField

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:  # noqa: ARG002
        """The schema of the member, in the shop's currency.

        How many decimals a number may have is said in words: validators compute `multipleOf` with
        doubles, to which 19.99 is no multiple of 0.01.
        """
        if direction == "response":
            return {"type": "number", "minimum": 0}
        currency = settings.CURRENCY
        highest = money.to_major(money.MAX_MINOR, currency)
        words = f"{currency}, with at most {money.decimals(currency)} decimals."
        number = {"type": "number", "minimum": 0, "maximum": highest, "description": words}
        text = {"type": "string", "pattern": _decimal_pattern(currency)}
        return {"oneOf": [number, text], "example": money.to_major(1999, currency)}


def _decimal_pattern(currency: str) -> str:
    places = money.decimals(currency)
    whole = rf"^\d{{1,{len(str(money.MAX_MINOR)) - places}}}"
    return rf"{whole}(\.\d{{1,{places}}})?$" if places else f"{whole}$"


URI_TOO_LONG: Final[dict[Any, Any]] = {
    414: OpenApiResponse(description="URI Too Long: refused before it is read, in plain text")
}


Case = tuple[int, str] | tuple[int, str, Mapping[str, Any]]
"""Status and code of a problem, and examples of members that only this one has."""


_SAY_MORE: Final = frozenset({404, 409, 412})
"""Statuses of problems that may have members of their own."""


def problems(*cases: Case, shape: type[Problem] = Problem) -> dict[Any, Any]:
    """Responses of an operation: the real errors it may answer, by status, with their codes.

    Args:
        cases: which.
        shape: with the members that problems of the app may have beside those of all.
    """
    by_status: dict[int, dict[str, Mapping[str, Any]]] = {}
    for status, code, *members in cases:
        by_status.setdefault(status, {})[code] = members[0] if members else {}
    return {
        (status, PROBLEM_TYPE): OpenApiResponse(
            shape if status in _SAY_MORE else Problem,
            description=f"{HTTPStatus(status).phrase}: {', '.join(f'`{n}`' for n in names)}",
            examples=[_example(status, name, more) for name, more in names.items()],
        )
        for status, names in by_status.items()
    }


def _add_problem(body: dict[str, Any], added: dict[str, Any], media_type: str) -> None:
    """Further codes among the problems of a status, but those that stand there already."""
    content = body.setdefault("content", {})
    examples = added["content"][media_type]["examples"]
    if media_type not in content:
        content[media_type] = added["content"][media_type]
        return
    said = content[media_type]["examples"]
    for name in [name for name in examples if name not in said]:
        said[name] = examples[name]
        body["description"] += f", `{examples[name]['value']['code']}`"


def _example(status: int, code: str, members: Mapping[str, Any]) -> OpenApiExample:
    return OpenApiExample(
        code,
        value={
            "type": f"urn:problem-type:shop:{code.replace('_', '-')}",
            "title": "",  # `finish_schema` knows every error
            "status": status,
            "detail": "What happened, and what to do next.",
            "instance": "/",
            "code": code,
            "request_id": "0f8f6c1d2b6e4b7f9a3c5d7e9f1a2b3c",
            **members,
        },
        response_only=True,
        status_codes=[str(status)],
        media_type=PROBLEM_TYPE,
    )


def finish_schema(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Write paths as the API document does; every path also answers with or without its slash."""
    result["paths"] = {_documented(path): item for path, item in result["paths"].items()}
    operations = [operation for item in result["paths"].values() for operation in item.values()]
    _add_rate_limit(operations)
    _add_titles(operations)
    declare_headers(result, operations)
    return result


def _add_titles(operations: Sequence[dict[str, Any]]) -> None:
    """Give the examples of problems the titles that go out, now that every app is loaded."""
    answers = [answer for one in operations for answer in one["responses"].values()]
    for content in (answer.get("content", {}).get(PROBLEM_TYPE, {}) for answer in answers):
        for example in content.get("examples", {}).values():
            shown = example["value"]
            shown["title"] = title_of(shown["status"], shown["code"])


def _add_rate_limit(operations: Sequence[dict[str, Any]]) -> None:
    """Every call is counted, so every operation may answer 429, as some already say."""
    said = next((o["responses"]["429"] for o in operations if "429" in o["responses"]), None)
    for operation in operations:
        if said is not None:
            operation["responses"].setdefault("429", said)


def _documented(path: str) -> str:
    """Collections end in a slash, everything else does not."""
    bare = _OPTIONAL_SLASH.sub("", path).rstrip("/")
    return (
        f"{bare}/"
        if bare in {"/users", "/products", "/categories", "/shopping-carts", "/audit-events"}
        else bare
    )
