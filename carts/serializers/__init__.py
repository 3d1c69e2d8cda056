"""Input of carts, and the shape of their answers for OpenAPI."""

from carts.serializers.inputs import (
    AddInput,
    CartInput,
    CartQuery,
    ItemInput,
    ItemsInput,
    LineInput,
    LineQuery,
    MergeInput,
    MergeQuery,
)
from carts.serializers.shapes import (
    CartPageShape,
    CartProblemShape,
    CartShape,
    MergedShape,
    NewCartShape,
)

__all__ = [
    "AddInput",
    "CartInput",
    "CartPageShape",
    "CartProblemShape",
    "CartQuery",
    "CartShape",
    "ItemInput",
    "ItemsInput",
    "LineInput",
    "LineQuery",
    "MergeInput",
    "MergeQuery",
    "MergedShape",
    "NewCartShape",
]
