"""Input of the catalog, and the shape of its answers for OpenAPI."""

from typing import Any, Final

from django.conf import settings
from rest_framework import serializers

from catalog.documents import ProductStatus
from ecommerce.core.fields import IdField, PatternField, PriceField, TextField, WholeNumberField
from ecommerce.core.serializers import StrictSerializer

MAX_STOCK: Final = 1_000_000_000
"""Pieces of one product."""
_STATUSES: Final = [ProductStatus.ACTIVE, ProductStatus.DRAFT, ProductStatus.ARCHIVED]


class ImageInput(StrictSerializer):
    """A picture of a product."""

    # http and https alone: a `javascript:` address would run in the page that shows it.
    url = PatternField(r"^https?://[^\s\x00-\x1f]+$", max_length=2000)
    alt = TextField(default="", max_length=500, allow_blank=True)


class SlugField(PatternField):
    """Lower-case words joined by hyphens, for addresses of pages."""

    default_error_messages = {"invalid": "Use lower-case letters, digits and single hyphens."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[a-z0-9]+(-[a-z0-9]+)*$", **kwargs)


class ProductInput(StrictSerializer):
    """Body of `POST /products/`, `PUT` and `PATCH /products/{id}`."""

    name = TextField(max_length=200)
    description = TextField(default="", max_length=20_000, allow_blank=True)
    price = PriceField(
        source="price_minor", help_text="In the shop's currency, with at most its decimals."
    )
    quantity = WholeNumberField(default=0, min_value=0, max_value=MAX_STOCK)
    # One shop has one currency: totals of mixed ones would mean nothing.
    currency = serializers.ChoiceField([settings.CURRENCY], required=False)
    sku = TextField(default=None, allow_null=True, max_length=100)
    slug = SlugField(default=None, allow_null=True, max_length=200)
    brand = TextField(default=None, allow_null=True, max_length=200)
    category = TextField(default=None, allow_null=True, max_length=200)
    tags = serializers.ListField(child=TextField(max_length=100), default=list, max_length=50)
    images = serializers.ListField(child=ImageInput(), default=list, max_length=50)
    status = serializers.ChoiceField(_STATUSES, default=ProductStatus.ACTIVE)

    def validate_status(self, status: str) -> str:
        """The plain text, as it is stored."""
        return str(status)


class ImageShape(serializers.Serializer[Any]):
    """A picture as it goes out."""

    url = serializers.CharField()
    alt = serializers.CharField()


class ProductShape(serializers.Serializer[Any]):
    """A product as it goes out."""

    id = IdField()
    name = serializers.CharField()
    description = serializers.CharField()
    price = PriceField()
    currency = serializers.CharField()
    quantity = serializers.IntegerField()
    sku = serializers.CharField(allow_null=True)
    slug = serializers.CharField(allow_null=True)
    brand = serializers.CharField(allow_null=True)
    category = serializers.CharField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    images = ImageShape(many=True)
    status = serializers.ChoiceField(_STATUSES)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ProductPageShape(serializers.Serializer[Any]):
    """A page of products."""

    items = ProductShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField(required=False)
    count_is_exact = serializers.BooleanField(required=False)
