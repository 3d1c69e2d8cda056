"""Bodies and query strings of carts."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils import html

from carts.limits import MAX_ATTRIBUTE, MAX_ATTRIBUTES, MAX_LINE_QUANTITY, MAX_LINES, MAX_NOTE
from carts.services import Item, MergeMode
from ecommerce.core.fields import (
    FlagField,
    IdField,
    MomentField,
    ShortListField,
    TextField,
    WholeNumberField,
)
from ecommerce.core.serializers import PageQuery, StrictSerializer

_NAME_LENGTH = MAX_ATTRIBUTE // 4


class QuantityField(WholeNumberField):
    """Pieces in one line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_LINE_QUANTITY, **kwargs)


class SkuField(TextField):
    """The sku of a variant."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            max_length=100,
            help_text="Of the variant, where the product has some.",
            **kwargs,
        )

    def get_value(self, dictionary: Mapping[str, Any]) -> Any:
        """Null says that no variant is meant; an empty box of a form says nothing."""
        value = super().get_value(dictionary)
        return empty if value is None and html.is_html_input(dictionary) else value


class NoteField(TextField):
    """What the shopper says of a line."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            allow_blank=True,
            max_length=MAX_NOTE,
            help_text="Gift text and the like. Left out, it stays as it is.",
        )


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": MAX_ATTRIBUTES,
        "propertyNames": {"minLength": 1, "maxLength": _NAME_LENGTH},
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": MAX_ATTRIBUTE},
    }
)
class AttributesField(serializers.DictField):
    """A small map of text."""

    default_error_messages = {
        "too_many": f"A line has at most {MAX_ATTRIBUTES} attributes.",
        "name": f"The name of an attribute has 1 to {_NAME_LENGTH} characters.",
    }

    def __init__(self) -> None:
        super().__init__(
            child=TextField(max_length=MAX_ATTRIBUTE),
            required=False,
            help_text="Further facts about the line, as text. Left out, they stay as they are.",
        )

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """The map, if it is small."""
        if isinstance(data, Mapping) and len(data) > MAX_ATTRIBUTES:
            self.fail("too_many")
        values: dict[str, str] = super().to_internal_value(data)
        if not all(0 < len(name) <= _NAME_LENGTH for name in values):
            self.fail("name")
        return values


class ItemInput(StrictSerializer):
    """One item: of a whole cart, or to be added to one."""

    product_id = IdField()
    quantity = QuantityField()
    sku = SkuField(allow_null=True)
    note = NoteField()
    attributes = AttributesField()


class ItemsInput(StrictSerializer):
    """Several items to be added, all or none."""

    items = ShortListField(child=ItemInput(), min_length=1, max_length=MAX_LINES)


class AddInput(ItemInput):
    """Body of `POST /shopping-carts/{id}/items`: one item, or `items`."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Always a list of items, as the service takes them."""
        if not isinstance(data, Mapping) or "items" not in data:
            return {"items": [Item(**super().to_internal_value(data))]}
        several = ItemsInput(data=data)
        several.is_valid(raise_exception=True)
        return {"items": [Item(**item) for item in several.validated_data["items"]]}


class LineInput(StrictSerializer):
    """Body of `PUT /shopping-carts/{id}/items/{product_id}`."""

    quantity = QuantityField()
    note = NoteField()
    attributes = AttributesField()
    product_id = IdField(required=False, help_text="If sent, the one of the path.")
    sku = SkuField(allow_null=True)


class LineQuery(StrictSerializer):
    """Query of every path to one line."""

    sku = SkuField()


class CartInput(StrictSerializer):
    """Body of `POST /shopping-carts/` and `PUT /shopping-carts/{id}`; all of it optional."""

    user_id = IdField(
        required=False, allow_null=True, help_text="Your own id, or leave it out. Staff: anybody's."
    )
    items = ShortListField(child=ItemInput(), default=list, max_length=MAX_LINES)

    def validate_items(self, items: list[Mapping[str, Any]]) -> list[Item]:
        """As the service takes them."""
        return [Item(**item) for item in items]


class MergeInput(StrictSerializer):
    """Body of `POST /shopping-carts/{id}/merge`."""

    into = IdField(
        default=None, allow_null=True, help_text="A cart of yours; null: this one becomes yours."
    )
    mode = serializers.ChoiceField(
        [mode.value for mode in MergeMode],
        default=MergeMode.SUM.value,
        help_text="What becomes of a line that stands in both carts. All others are kept.",
    )


class MergeQuery(StrictSerializer):
    """Query of `POST /shopping-carts/{id}/merge`."""

    dry_run = FlagField(default=False, help_text="Answer the result, and change nothing.")


class CartQuery(PageQuery):
    """Query of `GET /shopping-carts/`. All but the page is for staff, who finds anybody's carts."""

    user_id = IdField(required=False, help_text="Staff: carts of this user.")
    product_id = IdField(required=False, help_text="Staff: carts with this product.")
    guest = FlagField(
        required=False, help_text="Staff: true: only carts of guests; false: none of them."
    )
    updated_before = MomentField(required=False, help_text="Staff: older carts.")
    updated_after = MomentField(required=False, help_text="Staff: newer carts.")

    @staticmethod
    def wanted(values: Mapping[str, Any]) -> dict[str, Any]:
        """The part of the validated query that says which carts staff looks for."""
        page = PageQuery().fields.keys()
        return {k: v for k, v in values.items() if k not in page and v is not None}
