"""Input fields that take what JSON says and nothing that merely looks like it.

DRF's own fields read "5" as 5 and 5 as "5". A JSON client that mixes them up has a bug, and finds
it here. HTML forms and query strings can only send text, so for those the text is read.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import nh3
from django.conf import settings
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils import html

from ecommerce.core import money
from ecommerce.core.ids import ID_PATTERN
from ecommerce.core.parsers import UnfitValueError, check_text

_INT64: Final = 2**63
_DIGITS: Final = re.compile(r"[+-]?\d+", re.ASCII)
_TAG: Final = re.compile(r"<[a-zA-Z/!?]")
"""What a browser reads as the beginning of markup; any other `<` is text (HTML, 13.2.5.6)."""


def _from_json(field: serializers.Field[Any, Any, Any, Any]) -> bool:
    """Whether the field's value was parsed from JSON (a form or a query gives text only)."""
    return not html.is_html_input(getattr(field.root, "initial_data", None))


def _check_text(field: serializers.Field[Any, Any, Any, Any], text: str) -> None:
    """As `check_text`, for what no JSON parser has looked at: forms and query strings."""
    try:
        check_text(text)
    except UnfitValueError as fault:
        raise (fault.inside(field.field_name) if field.field_name else fault) from None


class TextField(serializers.CharField):
    """A JSON string, surrounding blanks removed, without NUL or broken Unicode."""

    def to_internal_value(self, data: Any) -> str:
        """Refuses numbers, which CharField would turn into text."""
        if not isinstance(data, str):
            self.fail("invalid")
        _check_text(self, data)
        return super().to_internal_value(data)


class HtmlField(TextField):
    """Text that pages may show as HTML: nothing that a browser would run gets in, whichever way.

    Text without any markup stays as it is, so that "5 < 6" reads as it was written.
    """

    def to_internal_value(self, data: Any) -> str:
        """Sanitised, so that lengths are those of what is stored."""
        text = super().to_internal_value(data)
        return nh3.clean(text).strip() if _TAG.search(text) else text


class WholeNumberField(serializers.IntegerField):
    """A JSON integer (5 or 5.0), never text or a boolean. In a query or a form: digits."""

    def to_internal_value(self, data: Any) -> int:
        """Refuses "5" in JSON, which IntegerField would take."""
        # Comparing is exact; abs() would compute, and 1e1000000 is more than decimals compute with.
        if (
            isinstance(data, Decimal)
            and data.is_finite()
            and -_INT64 <= data < _INT64
            and data == int(data)
        ):
            data = int(data)
        if _from_json(self):
            if isinstance(data, bool) or not isinstance(data, int):
                self.fail("invalid")
        elif isinstance(data, str) and not _DIGITS.fullmatch(data.strip()):
            self.fail("invalid")  # "1_000", "10.0" and Arabic digits are Python's and DRF's
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """JSON true or false. What a form or a query leaves out is not false, but not said: DRF would
    take it for a box that is not ticked, and deactivate whom a form forgets to call active. So our
    own pages have no box, but a choice, which says no as well."""

    default_empty_html = empty

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"style": {"template": "rest_framework/flag.html"}, **kwargs})

    def to_internal_value(self, data: Any) -> bool:
        """Refuses "yes" and 1 in JSON, which BooleanField would take."""
        if _from_json(self) and not isinstance(data, bool):
            self.fail("invalid", input=data)
        return bool(super().to_internal_value(data))


class PatternField(serializers.RegexField):
    """A JSON string of one form."""

    def to_internal_value(self, data: Any) -> str:
        """Refuses numbers, which RegexField would turn into text."""
        if not isinstance(data, str):
            self.fail("invalid")
        _check_text(self, data)
        return super().to_internal_value(data)


class IdField(PatternField):
    """The id of a document: 24 hex digits."""

    default_error_messages = {"invalid": "An id has 24 hexadecimal digits."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(ID_PATTERN, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """In lower case, as it is written everywhere else."""
        return super().to_internal_value(data).lower()


class ShortListField(serializers.ListField):
    """A list of at most `max_length` items. DRF looks at the length when it has typed every item: a
    body of 1 MiB that is nothing but wrong items took half a minute, and its faults 60 MB."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuses what is too long before the work of typing it."""
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class PriceField(serializers.Field[int, Any, Any, Any]):
    """A price in the shop's currency: a JSON number or a decimal string in, minor units out."""

    default_error_messages = {
        "invalid": "A price is a number such as 19.99, or the same as text.",
        "amount": "The price {fault}.",
    }

    def to_internal_value(self, data: Any) -> int:
        """Minor units, exactly: 19.99 is 1999."""
        amount = self._amount(data)
        try:
            return money.to_minor(amount, settings.CURRENCY)
        except money.AmountError as fault:
            self.fail("amount", fault=fault)

    def get_attribute(self, instance: Mapping[str, Any]) -> Any:
        """From an answer of ours, where it stands under its own name (the browsable forms)."""
        return instance[self.field_name or ""]

    def to_representation(self, value: Any) -> Any:
        """The number as it is: presenters have already made it major units."""
        return value

    def _amount(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, int | str | Decimal):
            self.fail("invalid")
        try:
            amount = Decimal(data)
        except InvalidOperation:
            self.fail("invalid")
        if isinstance(data, str) and not _is_plain_number(data.strip()):
            self.fail("invalid")
        return amount


class MomentField(serializers.DateTimeField):
    """A moment (RFC 3339) of the years that ids can name; without an offset it is UTC."""

    default_error_messages = {"year": "Name a moment between 1970 and 2100."}

    def to_internal_value(self, data: Any) -> datetime:
        """Refuses years that no document of ours is from."""
        if not isinstance(data, str) or not data.isascii():  # Django reads digits of any script
            self.fail("invalid", format="ISO 8601")
        moment = super().to_internal_value(data)
        if not 1970 < moment.year < 2100:
            self.fail("year")
        return moment


def _is_plain_number(text: str) -> bool:
    """Digits 0 to 9 and one point: "1e3", "Infinity", "1_000" and Arabic digits are Python's."""
    return text.isascii() and text.replace(".", "", 1).lstrip("-").isdecimal()
