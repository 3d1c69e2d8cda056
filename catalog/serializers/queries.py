"""Query strings of product lists, and what else they answer."""

from collections.abc import Mapping
from typing import Any, Final

from bson import ObjectId
from rest_framework import serializers

from catalog.documents import ProductStatus
from catalog.keys import words
from catalog.selectors import ORDERINGS
from catalog.serializers.products import STATUSES, ProductShape
from ecommerce.core.fields import FlagField, PatternField, PriceField, ShortListField, TextField
from ecommerce.core.serializers import PageQuery, StrictSerializer

PRODUCT_FIELDS: Final = tuple(ProductShape._declared_fields)
MAX_IDS: Final = 100
_MAX_TERM: Final = 200
_MAX_WORDS: Final = 10


class SearchField(TextField):
    """Words to look for."""

    default_error_messages = {"many_words": f"At most {_MAX_WORDS} words are looked for."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=_MAX_TERM, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Refuses more words than a search looks for."""
        text = super().to_internal_value(data)
        if len(words(text)) > _MAX_WORDS:
            self.fail("many_words")
        return text


class ManyField(ShortListField):
    """A parameter that may be given several times: any of its values may match."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=50, allow_empty=True, **kwargs)


_ANY_FIELD: Final = "|".join(PRODUCT_FIELDS)


class FieldsField(PatternField):
    """Names of members, separated by commas."""

    default_error_messages = {
        "invalid": f"Name fields of a product, separated by commas: {', '.join(PRODUCT_FIELDS)}."
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(rf"^({_ANY_FIELD})(,({_ANY_FIELD}))*$", **kwargs)


class IdsField(PatternField):
    """Ids, separated by commas."""

    default_error_messages = {"invalid": "Ids have 24 hexadecimal digits; separate them by commas."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[0-9a-fA-F]{24}(,[0-9a-fA-F]{24})*$", max_length=2500, **kwargs)


class FilterQuery(StrictSerializer):
    """What narrows a list of products. Parameters must all match, the values of one are
    alternatives."""

    q = SearchField(
        required=False,
        allow_blank=True,
        help_text="Words, or beginnings of words, of name, brand, tags and sku. All must match.",
    )
    category = ManyField(
        child=TextField(max_length=200), help_text="Slug or id; what stands below counts too."
    )
    brand = ManyField(
        child=TextField(max_length=200),
        help_text="A whole brand as the product has it: capitals count. `q` finds it in any case.",
    )
    tag = ManyField(
        child=TextField(max_length=100),
        help_text="A whole tag as the product has it: capitals count. `q` finds it in any case.",
    )
    min_price = PriceField(required=False)
    max_price = PriceField(required=False)
    in_stock = FlagField(
        required=False, help_text="true: with stock; false: without any; left out: both."
    )
    ids = ManyField(
        child=IdsField(),
        help_text=(
            f"Only these products, at most {MAX_IDS}. A list gives them in its `ordering`, "
            "not as they are named here, and at most `limit` on a page."
        ),
    )
    status = ManyField(
        child=serializers.ChoiceField(STATUSES), help_text="Staff only; customers see active ones."
    )

    default_error_messages = {
        "many_ids": f"At most {MAX_IDS} ids.",
        "price_order": "The lowest price is above the highest.",
    }

    def validate_ids(self, texts: list[str]) -> tuple[ObjectId, ...]:
        """Ids given by commas, by repetition, or both."""
        found = tuple(ObjectId(text) for given in texts for text in given.split(","))
        if len(found) > MAX_IDS:
            self.fail("many_ids")
        return found

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A range that holds nothing is a mistake."""
        low, high = attrs.get("min_price"), attrs.get("max_price")
        if low is not None and high is not None and low > high:
            raise serializers.ValidationError({"min_price": [self._fault("price_order")]})
        return attrs

    @staticmethod
    def filters(values: Mapping[str, Any], *, for_staff: bool) -> dict[str, Any]:
        """The part of the validated query that says which products, as ProductFilter takes it."""
        visible = STATUSES if for_staff else [ProductStatus.ACTIVE]
        return {
            "statuses": tuple(s for s in visible if s in (values.get("status") or visible)),
            "q": values.get("q", ""),
            "categories": tuple(values.get("category", ())),
            "brands": tuple(values.get("brand", ())),
            "tags": tuple(values.get("tag", ())),
            "min_price": values.get("min_price"),
            "max_price": values.get("max_price"),
            "in_stock": values.get("in_stock"),
            "ids": values.get("ids", ()),
        }


class FacetQuery(FilterQuery):
    """Query of `GET /products/facets`."""


class RetrieveQuery(StrictSerializer):
    """Query of `GET /products/{id or slug}`."""

    fields_ = FieldsField(
        required=False, help_text="Members of the answer, separated by commas; without it, all."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`fields` is a name that serializers keep for themselves."""
        declared = super().get_fields()
        declared["fields"] = declared.pop("fields_")
        return declared

    def validate_fields(self, names: str) -> tuple[str, ...]:
        """The names, each once."""
        return tuple(dict.fromkeys(names.split(",")))


class ProductQuery(FilterQuery, PageQuery, RetrieveQuery):
    """Query of `GET /products/`."""

    ordering = serializers.ChoiceField(
        list(ORDERINGS), required=False, help_text="Without it: by relevance with `q`, else newest."
    )


class CategoryProductQuery(ProductQuery):
    """Query of `GET /categories/{id or slug}/products`: the path names the category."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Another category beside it would be ignored, so it is none of the parameters."""
        declared = super().get_fields()
        del declared["category"]
        return declared


class SuggestQuery(StrictSerializer):
    """Query of `GET /products/suggest`."""

    q = SearchField(help_text="The beginning of what somebody types.")


class CountShape(serializers.Serializer[Any]):
    """How many products have a value."""

    value = serializers.CharField()
    count = serializers.IntegerField()


class CategoryCountShape(serializers.Serializer[Any]):
    """How many products stand in a category or below it."""

    value = serializers.CharField(help_text="Slug.")
    name = serializers.CharField()
    count = serializers.IntegerField()


class StockCountShape(serializers.Serializer[Any]):
    """How many products are in stock, and how many are not."""

    value = serializers.BooleanField()
    count = serializers.IntegerField()


class PriceRangeShape(serializers.Serializer[Any]):
    """How many products cost this much; both ends count."""

    min_price = PriceField()
    max_price = PriceField(allow_null=True)
    count = serializers.IntegerField()


class MoreShape(serializers.Serializer[Any]):
    """Which facets have more values than the answer shows."""

    category = serializers.BooleanField()
    brand = serializers.BooleanField()
    tag = serializers.BooleanField()


class FacetsShape(serializers.Serializer[Any]):
    """Counts by value, the most frequent first; each facet leaves out its own filter."""

    category = CategoryCountShape(many=True)
    brand = CountShape(many=True)
    tag = CountShape(many=True)
    price = PriceRangeShape(many=True)
    in_stock = StockCountShape(many=True)
    more = MoreShape()


class SuggestionsShape(serializers.Serializer[Any]):
    """Names of products that go on like this."""

    items = serializers.ListField(child=serializers.CharField())
