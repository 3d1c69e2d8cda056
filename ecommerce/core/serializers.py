"""What every serializer of input shares, and the shapes of answers that every app has."""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.utils import html

from ecommerce.core.errors import MAX_FAULTS
from ecommerce.core.fields import FlagField, TextField, WholeNumberField
from ecommerce.core.pagination import DEFAULT_LIMIT, MAX_LIMIT, PageRequest

_FORM_CONTROLS = {"csrfmiddlewaretoken"}
_LISTED = re.compile(r"\[\d+\].*")
"""How forms write the items of a list: `tags[0]`, `items[0]product_id`."""


class StrictSerializer(serializers.Serializer[Any]):
    """Validates input; a member that nobody declared is an error, not ignored. Never saves."""

    default_error_messages = {
        "unknown_field": "This is not a known field.",
        "read_only_field": "This field is set by the server.",
    }

    def leave_out_absent(self) -> None:
        """Look only at the fields that were sent (PATCH).

        DRF's `partial` would also excuse the fields of nested objects, which are whole or wrong.
        """
        sent = self.initial_data if isinstance(self.initial_data, Mapping) else {}
        for name in self.fields.keys() - sent.keys():
            del self.fields[name]

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Typed values of the declared fields.

        Raises:
            ValidationError: with every fault, those of unknown members among them.
        """
        faults: dict[str, Any] = self._unknown(data) if isinstance(data, Mapping) else {}
        try:
            values: dict[str, Any] = super().to_internal_value(data)
        except serializers.ValidationError as problem:
            found = problem.detail if isinstance(problem.detail, dict) else {"": problem.detail}
            raise serializers.ValidationError({**found, **faults}) from None
        if faults:
            raise serializers.ValidationError(faults)
        return values

    def _unknown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        known = {name for name, field in self.fields.items() if not field.read_only}
        extra = set(data) - known
        if html.is_html_input(data):
            extra = {n for n in extra - _FORM_CONTROLS if _LISTED.sub("", n) not in known}
        return {name: [self._fault("unknown_field")] for name in sorted(extra)[:MAX_FAULTS]}

    def _fault(self, code: str, **values: Any) -> serializers.ErrorDetail:
        return serializers.ErrorDetail(str(self.error_messages[code]).format(**values), code=code)


class PageQuery(StrictSerializer):
    """Query parameters of every list."""

    limit = WholeNumberField(
        min_value=1,
        max_value=MAX_LIMIT,
        default=DEFAULT_LIMIT,
        help_text="Rows in one page.",
    )
    cursor = TextField(
        default="",
        allow_blank=True,
        max_length=2000,
        help_text="Opaque: from `next` or `previous` of another page.",
    )
    count = FlagField(
        default=False,
        help_text=(
            "Also count all rows, up to 10,000. `next` does not carry it on: the number is the "
            "same on each page."
        ),
    )

    @staticmethod
    def page_request(values: Mapping[str, Any]) -> PageRequest:
        """The part of the validated query that says which page."""
        return PageRequest(values["limit"], values["cursor"], values["count"])


class FieldErrorShape(serializers.Serializer[Any]):
    """One fault of the input."""

    pointer = serializers.CharField(help_text="JSON pointer to the faulty member (RFC 6901).")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """An error, as RFC 9457 describes it."""

    type = serializers.CharField(help_text="A URI that names the kind of problem.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What happened, and what to do next.")
    instance = serializers.CharField(help_text="The path that was asked for.")
    code = serializers.CharField(help_text="Stable name of the case, for programs.")
    request_id = serializers.CharField(help_text="Name it when you ask for support.")
    errors = FieldErrorShape(many=True, required=False)  # type: ignore[assignment]  # the name is RFC 9457 practice
