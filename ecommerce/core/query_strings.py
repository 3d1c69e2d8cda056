"""Query strings, read as strictly as bodies: what the action does not declare is a 400."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest, QueryDict
from rest_framework import serializers

from ecommerce.core.parsers import UnfitValueError
from ecommerce.core.reusable_serializers import serializer_for
from ecommerce.core.serializers import StrictSerializer


def valid_query(kind: type[StrictSerializer], request: HttpRequest) -> dict[str, Any]:
    """The typed parameters of a request.

    Raises:
        ValidationError: with every fault.
        ParseError: it is not UTF-8.
    """
    text = request.META.get("QUERY_STRING")
    if not text:
        return dict(_without_parameters(kind))
    _check_encoding(text)
    with serializer_for(kind, request.GET) as serializer:
        if faults := _misgiven(request.GET, serializer):
            raise serializers.ValidationError(faults)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


def _check_encoding(text: str) -> None:
    """Refuse bytes that are not UTF-8: Django would read them as U+FFFD, and look for that."""
    if "%" not in text and text.isascii():
        return
    for part in text.encode("latin-1").split(b"&"):  # WSGI has bytes as Latin-1
        try:
            unquote_to_bytes(part).decode("utf-8")
        except UnicodeDecodeError:
            name = unquote_to_bytes(part.partition(b"=")[0]).decode("utf-8", "replace")
            raise UnfitValueError("A parameter is not UTF-8", "invalid_utf8").inside(name) from None


@cache
def _without_parameters(kind: type[StrictSerializer]) -> Mapping[str, Any]:
    """What an empty query string means: the same each time, and most requests have one."""
    serializer = kind(data=QueryDict())
    serializer.is_valid(raise_exception=True)  # an error is not kept: it is raised each time
    return dict(serializer.validated_data)


def _misgiven(query: QueryDict, serializer: StrictSerializer) -> dict[str, list[str]]:
    """Parameters given twice that may be given once, or given without a value."""
    faults = dict[str, list[str]]()
    for name, values in query.lists():
        field = serializer.fields.get(name)
        many = isinstance(field, serializers.ListField)
        if len(values) > 1 and not many:
            faults[name] = ["This parameter may be given once."]
        elif field and "" in values and not getattr(field, "allow_blank", False):
            faults[name] = ["This parameter has no value: leave it out, or give it one."]
    return faults
