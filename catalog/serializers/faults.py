"""The shape of errors of the catalog, for OpenAPI."""

from rest_framework import serializers

from ecommerce.core.serializers import Problem


class CatalogProblemShape(Problem):
    """An error about the catalog; some say more than others."""

    available_quantity = serializers.IntegerField(
        required=False, help_text="insufficient_stock: what is left."
    )
    limit = serializers.IntegerField(
        required=False, help_text="stock_limit, category_depth: what there may be at most."
    )
    holds = serializers.ChoiceField(
        ["products", "categories"], required=False, help_text="category_in_use: by what."
    )
