"""The shape of answers about carts, for OpenAPI."""

from typing import Any

from rest_framework import serializers

from carts.pricing import Fault
from carts.services import Shortfall
from ecommerce.core.fields import IdField
from ecommerce.core.serializers import Problem


class LineProblemShape(serializers.Serializer[Any]):
    """Why a line cannot be bought as it was put into the cart."""

    code = serializers.ChoiceField([str(fault) for fault in Fault])
    detail = serializers.CharField()
    available_quantity = serializers.IntegerField(
        required=False, help_text="insufficient_stock, product_unavailable: what is left."
    )
    old_price = serializers.FloatField(
        required=False, help_text="price_changed: what the shopper saw."
    )
    new_price = serializers.FloatField(
        required=False, help_text="price_changed: what it costs now."
    )


class LineShape(serializers.Serializer[Any]):
    """A line as it goes out."""

    product_id = IdField()
    sku = serializers.CharField(allow_null=True, help_text="Of the variant, if it is one.")
    options = serializers.DictField(
        child=serializers.CharField(), help_text="What makes the variant differ."
    )
    quantity = serializers.IntegerField()
    note = serializers.CharField(allow_blank=True)
    attributes = serializers.DictField(child=serializers.CharField())
    name = serializers.CharField()
    unit_price = serializers.FloatField(
        help_text="What the catalog asks now; of what is gone from it, `price_at_add`."
    )
    line_total = serializers.FloatField(
        help_text="`unit_price` times `quantity`, of a line that is not available too: "
        "`subtotal` leaves it out."
    )
    price_at_add = serializers.FloatField(
        help_text="What it asked when the line was added, or when `refresh-prices` accepted it."
    )
    price_changed = serializers.BooleanField()
    available = serializers.BooleanField(help_text="Whether it is for sale at all.")
    problem = LineProblemShape(allow_null=True, help_text="The most severe of `problems`.")
    problems = LineProblemShape(many=True)


class CartShape(serializers.Serializer[Any]):
    """A cart as it goes out."""

    id = IdField()
    user_id = IdField(allow_null=True, help_text="null: a guest's cart.")
    status = serializers.ChoiceField(
        ["open", "merging", "merged"], help_text="Only an open cart takes changes."
    )
    items = LineShape(many=True)
    saved_items = LineShape(many=True, help_text="Kept for later: no part of the totals.")
    total_quantity = serializers.IntegerField(
        help_text="Pieces in all `items`, those of lines that are not available too."
    )
    subtotal = serializers.FloatField(
        help_text="The sum of `line_total` of the `items` whose `available` is true, also where "
        "fewer are left than the line holds. It may be 0 though there are lines."
    )
    currency = serializers.CharField()
    version = serializers.IntegerField()
    expires_at = serializers.DateTimeField(help_text="Moved by every change.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class NewCartShape(CartShape):
    """A cart that was just made."""

    cart_token = serializers.CharField(
        required=False,
        help_text="A guest's: the secret to send as `X-Cart-Token`. It is answered only here.",
    )


class AdjustmentShape(serializers.Serializer[Any]):
    """A line that could not be taken over as it was: `asked - got - saved` pieces are left out."""

    code = serializers.ChoiceField([code.value for code in Shortfall])
    product_id = IdField()
    sku = serializers.CharField(allow_null=True)
    asked = serializers.IntegerField(
        help_text="Pieces that the line would have had; where it goes to the saved items, those "
        "of the guest alone."
    )
    got = serializers.IntegerField(help_text="Pieces that it has in the cart.")
    saved = serializers.IntegerField(help_text="Pieces of the guest that are saved for later.")


class MergedShape(serializers.Serializer[Any]):
    """What came of a merge."""

    cart = CartShape(help_text="The cart that was merged into.")
    adjustments = AdjustmentShape(many=True)
    dry_run = serializers.BooleanField(help_text="Nothing was changed.")


class CartProblemShape(Problem):
    """An error about a cart; some say more than others."""

    cart = CartShape(required=False, help_text="precondition_failed: the cart as it is now.")
    merged_into = IdField(required=False, help_text="cart_merged: the cart to use, if it is yours.")
    product_id = IdField(required=False, help_text="The product that it is about.")
    sku = serializers.CharField(required=False, help_text="The variant that it is about.")
    skus = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="unknown_variant, ambiguous_item: those to choose from.",
    )
    available_quantity = serializers.IntegerField(
        required=False, help_text="insufficient_stock: what is left."
    )
    in_cart = serializers.IntegerField(
        required=False,
        help_text="insufficient_stock, quantity_limit: what the line holds, to which was added.",
    )
    limit = serializers.IntegerField(
        required=False, help_text="too_many_carts: how many there may be."
    )


class CartPageShape(serializers.Serializer[Any]):
    """A page of carts."""

    items = CartShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField(required=False)
    count_is_exact = serializers.BooleanField(required=False)
