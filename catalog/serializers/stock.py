"""Stock movements: input, and their shape in answers."""

from typing import Any

from rest_framework import serializers

from catalog.services.stock import MAX_STOCK
from ecommerce.core.fields import IdField, TextField, WholeNumberField
from ecommerce.core.serializers import StrictSerializer


class StockInput(StrictSerializer):
    """Body of `POST /products/{id}/stock`."""

    delta = WholeNumberField(
        min_value=-MAX_STOCK, max_value=MAX_STOCK, help_text="Pieces; negative takes away."
    )
    reason = TextField(max_length=200)
    sku = TextField(required=False, max_length=100, help_text="Which variant, if there are any.")

    default_error_messages = {"nothing": "A movement of 0 pieces is none."}

    def validate_delta(self, delta: int) -> int:
        """Refuses 0."""
        if delta == 0:
            self.fail("nothing")
        return delta


class MovementShape(serializers.Serializer[Any]):
    """A movement as it goes out."""

    id = IdField()
    product_id = IdField()
    sku = serializers.CharField(allow_null=True)
    delta = serializers.IntegerField()
    reason = serializers.CharField()
    by = IdField(help_text="The user who moved it.")
    created_at = serializers.DateTimeField()


class MovementPageShape(serializers.Serializer[Any]):
    """A page of movements, newest first."""

    items = MovementShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField(required=False)
    count_is_exact = serializers.BooleanField(required=False)
