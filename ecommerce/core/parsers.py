"""Bodies, read strictly: what cannot be stored or typed exactly is a 400 with its reason.

The standard library's parser reads JSON, not orjson: it alone gives decimals as Decimal (a price
keeps the digits that were sent) and shows duplicate keys.
"""

import json
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, Final
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, QueryDict
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser, FormParser, MultiPartParser
from rest_framework.request import Request

from ecommerce.core.errors import FieldError, pointer_to

MAX_DEPTH: Final = 32
"""Levels of nesting in a body."""
_INT64: Final = 2**63
_TOO_LARGE: Final = ("An integer does not fit in 64 bits", "integer_out_of_range")
_SHOWN: Final = 100
"""Characters of a member's name in an error."""
_UNREADABLE: Final = "\ufffd"
"""What Django puts where bytes of a form are not UTF-8."""


class BodyTooLargeError(APIException):
    """The body has more bytes than the product reads."""

    status_code = 413
    default_code = "body_too_large"
    default_detail = "The body is larger than the limit."


class IncompleteBodyError(ParseError):
    """The connection ended before the whole body had come: half of it says something else."""

    default_code = "incomplete_body"
    default_detail = "The body ended before its Content-Length: send it again, whole."


class UnfitValueError(ParseError):
    """Input that was read as far as where a value stands that cannot be stored."""

    def __init__(self, fault: str, code: str, pointer: str = "") -> None:
        self.pointer = pointer
        self._fault = fault
        super().__init__(f"{fault}: see `{pointer}`." if pointer else f"{fault}.", code)

    @property
    def error(self) -> FieldError | None:
        """The fault with its place, as a fault of validation has it; None where that is not known,
        or is the whole."""
        if not self.pointer:
            return None
        return FieldError(self.pointer, str(self.get_codes()), f"{self._fault}.")

    def inside(self, name: str | int) -> "UnfitValueError":
        """The same fault, of a value that holds the value."""
        return UnfitValueError(
            self._fault, str(self.get_codes()), pointer_to(name)[:_SHOWN] + self.pointer
        )


class StrictJSONParser(BaseParser):
    """`application/json`: UTF-8, no NaN, no duplicate keys, bounded depth, int64, no NUL."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body as plain Python values, decimals as Decimal."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLargeError
        refuse_incomplete(body, (parser_context or {})["request"])
        return loads(body)


class MergePatchParser(StrictJSONParser):
    """`application/merge-patch+json` (RFC 7396)."""

    media_type = "application/merge-patch+json"


class StrictFormParser(FormParser):
    """`application/x-www-form-urlencoded`: UTF-8, and not more fields than Django reads."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The fields. Django would read what is not UTF-8 as U+FFFD."""
        body = stream.read()
        refuse_incomplete(body, (parser_context or {})["request"])
        try:
            unquote_to_bytes(body).decode("utf-8")
        except UnicodeDecodeError:
            raise _not_utf8() from None
        try:
            return QueryDict(body, encoding="utf-8")
        except TooManyFieldsSent:
            raise _too_many_fields() from None


class StrictMultiPartParser(MultiPartParser):
    """`multipart/form-data`: UTF-8, and not more fields than Django reads."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The fields and files. Django has read what is not UTF-8 as U+FFFD, which is why that
        character itself is refused; a charset of the request changes nothing."""
        context = {**(parser_context or {}), "encoding": "utf-8"}
        try:
            form = super().parse(stream, media_type, context)
        except TooManyFieldsSent:
            raise _too_many_fields() from None
        if any(_UNREADABLE in text for _, values in form.data.lists() for text in values):
            raise _not_utf8()
        return form


def content_length(request: HttpRequest | Request) -> int:
    """Bytes of the body, as the request says."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0  # the server refuses such a header; here it means no body


def refuse_incomplete(body: bytes, request: HttpRequest | Request) -> None:
    """Refuse what has come of a body whose connection broke.

    Raises:
        IncompleteBodyError: it is shorter than its Content-Length.
    """
    if len(body) < content_length(request):
        raise IncompleteBodyError


def _not_utf8() -> ParseError:
    return ParseError("The form is not UTF-8.", code="invalid_utf8")


def _too_many_fields() -> ParseError:
    limit = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    return ParseError(f"A form has at most {limit} fields.", code="too_many_fields")


def loads(body: bytes) -> Any:
    """Parse one JSON text.

    Raises:
        ParseError: with a code and a sentence that say what is wrong with it.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8.", code="invalid_utf8") from None
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_nesting(text)
    try:
        value = json.loads(
            text,
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_keys,
        )
    except json.JSONDecodeError as fault:
        raise ParseError(f"The body is not JSON: {fault}.", code="malformed_json") from None
    except ValueError:  # Python reads no integer of thousands of digits
        raise UnfitValueError(*_TOO_LARGE) from None
    except ArithmeticError:
        raise ParseError("A number has too large an exponent.", code="malformed_json") from None
    check_values(value)
    return value


def _check_nesting(text: str) -> None:
    """Refuse deep nesting before the parser recurses; brackets in strings do not count."""
    depth, in_string, escaped = 0, False, False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise _too_deep()
        elif character in "]}":
            depth -= 1


def _refuse_constant(name: str) -> None:
    raise ParseError(f"{name} is not JSON.", code="malformed_json")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = Counter(name for name, _ in pairs)
        raise duplicate_key(next(name for name, count in names.items() if count > 1))
    return members


def duplicate_key(name: str) -> ParseError:
    """The fault of an object that has a member twice."""
    shown = name[:_SHOWN].encode("utf-8", "replace").decode("utf-8")
    detail = f'An object has the member "{shown}" twice: leave one of them out.'
    return ParseError(detail, code="duplicate_key")


def _too_deep() -> ParseError:
    return ParseError(f"It is nested deeper than {MAX_DEPTH} levels.", code="too_deep")


def check_values(value: Any, *, levels: int = MAX_DEPTH) -> None:
    """Integers within int64, text without NUL or half surrogates: MongoDB stores nothing else.

    Args:
        value: what JSON was read as.
        levels: how deep it may be nested.

    Raises:
        UnfitValueError: with a code, and a sentence that says what is wrong and where.
        ParseError: it is nested too deep.
    """
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict | list) and not levels:
        raise _too_deep()
    elif isinstance(value, dict):
        for key, member in value.items():
            check_text(key)
            _check_member(key, member, levels - 1)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            _check_member(number, member, levels - 1)
    elif isinstance(value, int) and not -_INT64 <= value < _INT64:
        raise UnfitValueError(*_TOO_LARGE)


def _check_member(name: str | int, member: Any, levels: int) -> None:
    try:
        check_values(member, levels=levels)
    except UnfitValueError as fault:
        raise fault.inside(name) from None


def check_text(text: str) -> None:
    """Refuse text that UTF-8 or BSON cannot hold.

    Raises:
        UnfitValueError: a NUL character or half of a surrogate pair.
    """
    if "\x00" in text:
        raise UnfitValueError("Text must not hold NUL characters", "nul_character")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise UnfitValueError("Text holds half of a surrogate pair", "invalid_unicode")
