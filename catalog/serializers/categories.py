"""Categories: input, and their shape in answers."""

from typing import Any

from rest_framework import serializers

from catalog.serializers.products import SlugField
from ecommerce.core.fields import IdField, TextField, WholeNumberField
from ecommerce.core.ids import is_id
from ecommerce.core.serializers import PageQuery, StrictSerializer


class CategorySlugField(SlugField):
    """A slug that cannot be taken for an id."""

    default_error_messages = {"like_an_id": "24 hexadecimal digits would look like an id."}

    def to_internal_value(self, data: Any) -> str:
        """Refuses what has the form of an id."""
        slug = super().to_internal_value(data)
        if is_id(slug):
            self.fail("like_an_id")
        return slug


class CategoryInput(StrictSerializer):
    """Body of `POST /categories/`, `PUT` and `PATCH /categories/{id or slug}`."""

    name = TextField(max_length=200)
    slug = CategorySlugField(
        default=None, allow_null=True, max_length=100, help_text="Made of the name if left out."
    )
    parent = TextField(  # type: ignore[assignment]  # Field.parent is gone from the class by then
        default=None, allow_null=True, max_length=100, help_text="Slug or id; null for a root."
    )
    position = WholeNumberField(default=0, min_value=0, max_value=1_000_000)


class CategoryQuery(PageQuery):
    """Query of `GET /categories/`."""

    parent = TextField(  # type: ignore[assignment]  # Field.parent is gone from the class by then
        required=False,
        allow_blank=True,
        max_length=100,
        help_text="Slug: only what stands right below; empty: only the roots. By position.",
    )


class DeleteCategoryQuery(StrictSerializer):
    """Query of `DELETE /categories/{id or slug}`."""

    products_to = TextField(
        required=False, max_length=100, help_text="Slug or id of the category its products go to."
    )


class PathEntryShape(serializers.Serializer[Any]):
    """A category on the way from the root."""

    slug = serializers.CharField()
    name = serializers.CharField()


class CategoryShape(serializers.Serializer[Any]):
    """A category as it goes out."""

    id = IdField()
    slug = serializers.CharField()
    name = serializers.CharField()
    parent = serializers.CharField(  # type: ignore[assignment]  # as above
        allow_null=True, help_text="Slug of the category above."
    )
    path = PathEntryShape(many=True)
    position = serializers.IntegerField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class CategoryPageShape(serializers.Serializer[Any]):
    """A page of categories."""

    items = CategoryShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField(required=False)
    count_is_exact = serializers.BooleanField(required=False)
