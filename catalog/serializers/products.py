"""Products: input, and their shape in answers."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from bson import ObjectId
from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.documents import ProductStatus
from catalog.keys import MAX_PRODUCT_SLUG, SLUG_PATTERN
from catalog.services.derived import all_skus
from catalog.services.products import MAX_ATTRIBUTES
from catalog.services.stock import MAX_STOCK
from ecommerce.core.fields import (
    HtmlField,
    IdField,
    PatternField,
    PriceField,
    ShortListField,
    TextField,
    WholeNumberField,
)
from ecommerce.core.serializers import StrictSerializer

MAX_VARIANTS: Final = 100
STATUSES: Final = [ProductStatus.ACTIVE, ProductStatus.DRAFT, ProductStatus.ARCHIVED]
_MAX_OPTIONS: Final = 3
"""As in Shopify's files, so that every product can be exported."""
_SIGNIFICANT_DIGITS: Final = 15
"""Decimal digits that a binary double gives back as they were (IEEE 754)."""


class ImageInput(StrictSerializer):
    """A picture of a product."""

    # http and https alone: a `javascript:` address would run in the page that shows it.
    url = PatternField(r"^https?://[^\s\x00-\x1f]+$", max_length=2000)
    alt = TextField(default="", max_length=500, allow_blank=True)


class SlugField(PatternField):
    """Lower-case words joined by hyphens, for addresses of pages."""

    default_error_messages = {"invalid": "Use lower-case letters, digits and single hyphens."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(SLUG_PATTERN, **kwargs)


@extend_schema_field(
    {"oneOf": [{"type": kind} for kind in ("string", "number", "boolean")], "nullable": True}
)
class AttributeValueField(serializers.Field[Any, Any, Any, Any]):
    """Text, a number or a boolean; null takes an attribute away in a merge patch."""

    default_error_messages = {
        "invalid": "An attribute is text, a number, true or false.",
        "digits": f"A number has at most {_SIGNIFICANT_DIGITS} significant digits.",
        "length": "Text has at most 500 characters.",
    }

    def to_internal_value(self, data: Any) -> str | int | float | bool:
        """Typed as it is stored."""
        if isinstance(data, str):
            if len(data) > 500:
                self.fail("length")
            return data
        if isinstance(data, bool | int):
            return data
        if not isinstance(data, Decimal):
            self.fail("invalid")
        if (
            abs(data.adjusted()) > 300  # first: normalize() overflows beyond a million
            or len(data.normalize().as_tuple().digits) > _SIGNIFICANT_DIGITS
        ):
            self.fail("digits")
        return float(data)

    def to_representation(self, value: Any) -> Any:
        """As it is."""
        return value


class AttributesField(serializers.DictField):
    """`{"material": "oak", "weight_g": 1200, "washable": false}`."""

    child = AttributeValueField(allow_null=True)
    default_error_messages = {
        "key": "A key has lower-case letters, digits and _, and begins with a letter: {name!r}.",
        "many": f"At most {MAX_ATTRIBUTES} attributes.",
    }

    def to_internal_value(self, data: Any) -> Any:
        """As they are stored: keys are values, never names of fields."""
        if isinstance(data, Mapping) and len(data) > MAX_ATTRIBUTES:
            self.fail("many")
        values: dict[str, Any] = super().to_internal_value(data)
        for key in values:
            if not (key.isascii() and key.isidentifier() and key == key.lower() and len(key) <= 50):
                self.fail("key", name=key[:60])
        return [{"key": key, "value": value} for key, value in values.items()]

    def to_representation(self, value: Any) -> Any:
        """As presenters have made it."""
        return value


class OptionsField(serializers.DictField):
    """`{"size": "M", "colour": "blue"}`."""

    child = TextField(max_length=100)
    default_error_messages = {"many": f"At most {_MAX_OPTIONS} options of at most 50 characters."}

    def to_internal_value(self, data: Any) -> Any:
        """As they are stored."""
        if isinstance(data, Mapping) and len(data) > _MAX_OPTIONS:
            self.fail("many")
        values: dict[str, str] = super().to_internal_value(data)
        if any(not name or len(name) > 50 for name in values):
            self.fail("many")
        return [{"name": name, "value": value} for name, value in values.items()]

    def to_representation(self, value: Any) -> Any:
        """As presenters have made it."""
        return value


class VariantInput(StrictSerializer):
    """A product in one size or colour."""

    sku = TextField(max_length=100)
    options = OptionsField(default=dict)
    price = PriceField(
        source="price_minor", default=None, allow_null=True, help_text="Else the product's."
    )
    compare_at_price = PriceField(source="compare_at_price_minor", default=None, allow_null=True)
    quantity = WholeNumberField(default=0, min_value=0, max_value=MAX_STOCK)

    def validate(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        """Absent optional fields are not stored."""
        given = {name: value for name, value in attrs.items() if value is not None}
        return {**given, "options": given["options"] or []}


class ProductInput(StrictSerializer):
    """Body of `POST /products/`, `PUT` and `PATCH /products/{id}`."""

    name = TextField(max_length=200)
    description = HtmlField(
        default="",
        max_length=20_000,
        allow_blank=True,
        help_text="Text or HTML; scripts, handlers and what else could run are taken out.",
    )
    price = PriceField(
        source="price_minor", help_text="In the shop's currency, with at most its decimals."
    )
    compare_at_price = PriceField(
        source="compare_at_price_minor",
        default=None,
        allow_null=True,
        help_text="What it cost before, for a struck-through price.",
    )
    quantity = WholeNumberField(
        default=0,
        min_value=0,
        max_value=MAX_STOCK,
        help_text="With variants: their sum, and may be left out.",
    )
    # One shop has one currency: totals of mixed ones would mean nothing.
    currency = serializers.ChoiceField([settings.CURRENCY], required=False)
    sku = TextField(default=None, allow_null=True, max_length=100)
    slug = SlugField(
        default=None,
        allow_null=True,
        max_length=MAX_PRODUCT_SLUG,
        help_text=(
            "Shoppers read the product at `/products/{slug}`, unless that is another path (such as "
            "`facets`) or the form of an id."
        ),
    )
    brand = TextField(default=None, allow_null=True, max_length=200)
    category = TextField(
        default=None, allow_null=True, max_length=200, help_text="Slug or id of a category."
    )
    tags = ShortListField(child=TextField(max_length=100), default=list, max_length=50)
    images = ShortListField(child=ImageInput(), default=list, max_length=50)
    attributes = AttributesField(default=dict)
    variants = ShortListField(child=VariantInput(), default=list, max_length=MAX_VARIANTS)
    related_ids = ShortListField(child=IdField(), default=list, max_length=50)
    status = serializers.ChoiceField(STATUSES, default=ProductStatus.ACTIVE)

    default_error_messages = {
        "repeated_sku": "Each sku of a product stands there once.",
        "quantity_of_variants": "The quantities of the variants sum up to {total}: leave it out.",
        "too_much": f"The quantities of the variants sum up to more than {MAX_STOCK}.",
    }

    def validate_status(self, status: str) -> str:
        """The plain text, as it is stored."""
        return str(status)

    def validate_tags(self, tags: list[str]) -> list[str]:
        """Each once."""
        return list(dict.fromkeys(tags))

    def validate_attributes(self, attributes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A null is a request to take away; only a merge patch has anything to take it from."""
        if self.context.get("merge_attributes"):
            return attributes
        return [one for one in attributes or () if one["value"] is not None]

    def validate_related_ids(self, ids: list[str]) -> list[ObjectId]:
        """As they are stored, each once."""
        return [ObjectId(text) for text in dict.fromkeys(ids)]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Skus stand there once; the quantity of variants is their sum."""
        skus = all_skus(attrs)
        if len(set(skus)) < len(skus):
            raise serializers.ValidationError({"variants": [self._fault("repeated_sku")]})
        if attrs.get("variants"):
            attrs["quantity"] = self._sum_of_variants(attrs)
        return attrs

    def _sum_of_variants(self, attrs: Mapping[str, Any]) -> int:
        total: int = sum(variant["quantity"] for variant in attrs["variants"])
        sent = isinstance(self.initial_data, Mapping) and "quantity" in self.initial_data
        if total > MAX_STOCK:
            raise serializers.ValidationError({"variants": [self._fault("too_much")]})
        if sent and attrs["quantity"] != total:
            fault = self._fault("quantity_of_variants", total=total)
            raise serializers.ValidationError({"quantity": [fault]})
        return total


class ImageShape(serializers.Serializer[Any]):
    """A picture as it goes out."""

    url = serializers.CharField()
    alt = serializers.CharField()


class VariantShape(serializers.Serializer[Any]):
    """A variant as it goes out; its price is the product's unless it has its own."""

    sku = serializers.CharField()
    options = serializers.DictField(child=serializers.CharField())
    price = PriceField()
    compare_at_price = PriceField(allow_null=True)
    quantity = serializers.IntegerField()


class ProductShape(serializers.Serializer[Any]):
    """A product as it goes out; with `fields=` only those members."""

    id = IdField()
    name = serializers.CharField()
    description = serializers.CharField()
    price = PriceField()
    compare_at_price = PriceField(allow_null=True)
    currency = serializers.CharField()
    quantity = serializers.IntegerField()
    sku = serializers.CharField(allow_null=True)
    slug = serializers.CharField(allow_null=True)
    brand = serializers.CharField(allow_null=True)
    category = serializers.CharField(allow_null=True, help_text="Slug of the category.")
    tags = serializers.ListField(child=serializers.CharField())
    images = ImageShape(many=True)
    attributes = AttributesField()
    variants = VariantShape(many=True)
    related_ids = serializers.ListField(child=IdField())
    status = serializers.ChoiceField(STATUSES)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class SparseProductShape(ProductShape):
    """A product, or those of its members that `fields=` names."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """None is required: any may be left out by the caller."""
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


class ProductPageShape(serializers.Serializer[Any]):
    """A page of products."""

    items = SparseProductShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField(required=False)
    count_is_exact = serializers.BooleanField(required=False)
