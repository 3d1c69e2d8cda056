"""Query strings, read as strictly as bodies: what the action does not declare is a 400."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.http import HttpRequest, QueryDict
from rest_framework import serializers

from ecommerce.core.reusable_serializers import serializer_for
from ecommerce.core.serializers import StrictSerializer


def valid_query(kind: type[StrictSerializer], request: HttpRequest) -> dict[str, Any]:
    """The typed parameters of a request.

    Raises:
        ValidationError: with every fault.
    """
    if not request.META.get("QUERY_STRING"):
        return dict(_without_parameters(kind))
    with serializer_for(kind, request.GET) as serializer:
        if faults := _misgiven(request.GET, serializer):
            raise serializers.ValidationError(faults)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


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
