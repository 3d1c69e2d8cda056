"""Bulk requests: rows that are typed one by one, so that a faulty one keeps no other out."""

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from bson import ObjectId
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from catalog.serializers.products import ProductInput
from catalog.services.bulk import Action, BulkMode, BulkRow
from ecommerce.core.errors import MAX_FAULTS
from ecommerce.core.fields import IdField, ShortListField, TextField, WholeNumberField
from ecommerce.core.problems import field_errors
from ecommerce.core.serializers import FieldErrorShape, StrictSerializer

MAX_ROWS: Final = 500


class _NamesProduct(StrictSerializer):
    """A row about a product that is there: named by its id, or else by its sku."""

    id = IdField(required=False)
    version = WholeNumberField(
        required=False, min_value=1, help_text="Write only if the product still has this version."
    )

    default_error_messages = {"nameless": "Name the product by its `id` or its `sku`."}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two must be there."""
        if "id" not in attrs and not attrs.get("sku"):
            raise serializers.ValidationError({"id": [self._fault("nameless")]})
        return super().validate(attrs)  # type: ignore[no-any-return]  # DRF says Any


class CreateRow(ProductInput):
    """Add a product."""

    operation = serializers.ChoiceField([Action.CREATE])


class UpdateRow(_NamesProduct, ProductInput):
    """Change the fields that are sent; with an `id`, `sku` is one of them."""

    operation = serializers.ChoiceField([Action.UPDATE])

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """None of the product is required."""
        fields = super().get_fields()
        for name in ("name", "price"):
            fields[name].required = False
        return fields


class UpsertRow(ProductInput):
    """Change the fields that are sent of the product with this sku; add it if there is none."""

    operation = serializers.ChoiceField([Action.UPSERT])
    sku = TextField(max_length=100)


class DeleteRow(_NamesProduct):
    """Take a product out of the shop."""

    operation = serializers.ChoiceField([Action.DELETE])
    sku = TextField(required=False, max_length=100)

    default_error_messages = {"named_twice": "Name the product by its `id` or its `sku`, not both."}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Two names could be those of two products."""
        if "id" in attrs and "sku" in attrs:
            raise serializers.ValidationError({"sku": [self._fault("named_twice")]})
        return super().validate(attrs)


class _UnknownRow(StrictSerializer):
    """Says that the operation is missing or unknown, and nothing of the other members."""

    operation = serializers.ChoiceField([str(operation) for operation in Action])

    def _unknown(self, data: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {}


_ROWS: Final[Mapping[str, type[StrictSerializer]]] = {
    Action.CREATE: CreateRow,
    Action.UPDATE: UpdateRow,
    Action.UPSERT: UpsertRow,
    Action.DELETE: DeleteRow,
}


@extend_schema_field(
    PolymorphicProxySerializer(
        component_name="BulkRow",
        serializers={str(operation): kind for operation, kind in _ROWS.items()},
        resource_type_field_name="operation",
    )
)
class RowField(serializers.Field[Any, Any, Any, Any]):
    """One row. It gets its type from RowsField, which knows where it stands."""


class RowsField(ShortListField):
    """The rows, each typed by itself: faults of a row are no faults of the request."""

    child = RowField()
    default_error_messages = {
        "not_a_list": "A list of rows.",
        "empty": "Send at least one row.",
        "max_length": f"At most {MAX_ROWS} rows: send the others in another request.",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_empty=False, min_length=1, max_length=MAX_ROWS, **kwargs)

    def run_child_validation(self, data: list[Any]) -> list[BulkRow]:
        """Each row by its operation."""
        return [_read(index, row) for index, row in enumerate(data)]


class BulkInput(StrictSerializer):
    """Body of `POST /products/bulk`."""

    mode = serializers.ChoiceField(
        [str(mode) for mode in BulkMode], default=str(BulkMode.REJECT_FAILED_ROWS)
    )
    rows = RowsField(help_text=f"1 to {MAX_ROWS}, carried out in this order.")

    def validate_mode(self, mode: str) -> BulkMode:
        """As the service knows it."""
        return BulkMode(mode)


def _read(index: int, data: Any) -> BulkRow:
    operation = data.get("operation") if isinstance(data, Mapping) else None
    kind = _ROWS.get(operation, _UnknownRow) if isinstance(operation, str) else _UnknownRow
    serializer = kind(data=data)
    if kind is UpdateRow:
        serializer.leave_out_absent()
    if not serializer.is_valid():
        faults = tuple(islice(field_errors(serializer.errors, f"/rows/{index}"), MAX_FAULTS))
        return BulkRow(index, faults=faults)
    return _typed(index, serializer)


def _typed(index: int, serializer: StrictSerializer) -> BulkRow:
    values = dict(serializer.validated_data)
    operation = Action(values.pop("operation"))
    product_id, version = values.pop("id", None), values.pop("version", None)
    # A sku that says which product it is changes nothing of it.
    sku = None if product_id or operation is Action.CREATE else values.get("sku")
    sent = _sent(serializer) - ({"sku"} if sku else set())
    return BulkRow(
        index, operation, values, {name: values[name] for name in sent & values.keys()},
        ObjectId(product_id) if product_id else None, sku, version,
    )  # fmt: skip


def _sent(serializer: StrictSerializer) -> set[str]:
    """The sent fields by their stored names; the quantity of variants comes with them."""
    sent = {str(serializer.fields[name].source) for name in serializer.initial_data}
    return sent | {"quantity"} if serializer.validated_data.get("variants") else sent


class RowResultShape(serializers.Serializer[Any]):
    """What became of a row."""

    index = serializers.IntegerField(help_text="Where the row stands in the request, from 0.")
    status = serializers.IntegerField(
        help_text="What a request of its own would have been answered."
    )
    code = serializers.CharField(help_text="`created`, `updated`, `deleted`, or a problem's code.")
    id = IdField(allow_null=True, help_text="The product; null where there is none.")
    version = serializers.IntegerField(allow_null=True)
    detail = serializers.CharField(required=False)
    errors = FieldErrorShape(many=True, required=False)  # type: ignore[assignment]  # as in Problem


class BulkShape(serializers.Serializer[Any]):
    """What became of every row."""

    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    rows = RowResultShape(many=True)
