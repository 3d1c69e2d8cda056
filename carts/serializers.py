"""Input of carts, and the shape of their answers for OpenAPI."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from carts.limits import MAX_LINE_QUANTITY, MAX_LINES
from carts.services import Item
from ecommerce.core.fields import IdField, WholeNumberField
from ecommerce.core.serializers import StrictSerializer


class QuantityField(WholeNumberField):
    """Pieces in one line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_LINE_QUANTITY, **kwargs)


class ItemInput(StrictSerializer):
    """Body of `POST /shopping-carts/{id}/items`, and an item of a whole cart."""

    product_id = IdField()
    quantity = QuantityField()


class QuantityInput(StrictSerializer):
    """Body of `PUT /shopping-carts/{id}/items/{product_id}`."""

    quantity = QuantityField()
    product_id = IdField(required=False, help_text="If sent, the one of the path.")


class CartInput(StrictSerializer):
    """Body of `POST /shopping-carts/` and `PUT /shopping-carts/{id}`; all of it optional."""

    user_id = IdField(
        required=False, allow_null=True, help_text="Your own id, or leave it out. Staff: anybody's."
    )
    items = serializers.ListField(child=ItemInput(), default=list, max_length=MAX_LINES)

    def validate_items(self, items: list[Mapping[str, Any]]) -> list[Item]:
        """As the service takes them."""
        return [Item(**item) for item in items]


class LineProblemShape(serializers.Serializer[Any]):
    """Why a line cannot be bought as it is."""

    code = serializers.ChoiceField(["insufficient_stock", "product_unavailable"])
    detail = serializers.CharField()
    available_quantity = serializers.IntegerField()


class LineShape(serializers.Serializer[Any]):
    """A line as it goes out."""

    product_id = IdField()
    quantity = serializers.IntegerField()
    name = serializers.CharField()
    unit_price = serializers.FloatField(help_text="What the catalog asks now.")
    line_total = serializers.FloatField()
    price_at_add = serializers.FloatField(help_text="What it asked when the line was added.")
    price_changed = serializers.BooleanField()
    available = serializers.BooleanField(help_text="Whether it is for sale at all.")
    problem = LineProblemShape(allow_null=True)


class CartShape(serializers.Serializer[Any]):
    """A cart as it goes out."""

    id = IdField()
    user_id = IdField()
    items = LineShape(many=True)
    total_quantity = serializers.IntegerField()
    subtotal = serializers.FloatField(help_text="The lines that are available.")
    currency = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class CartPageShape(serializers.Serializer[Any]):
    """A page of carts."""

    items = CartShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField(required=False)
    count_is_exact = serializers.BooleanField(required=False)
