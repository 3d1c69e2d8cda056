"""What the API document says of each operation on carts."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_view,
)

from carts.serializers import CartPageShape, CartShape
from ecommerce.core.ids import ID_PATTERN
from ecommerce.core.openapi import IF_MATCH, IF_NONE_MATCH, URI_TOO_LONG, problems

_PRODUCT = "665f1c2e8b3e4a0012ab34cd"
_ITEM = OpenApiExample(
    "Two of a product", value={"product_id": _PRODUCT, "quantity": 2}, request_only=True
)
_QUANTITY = OpenApiExample("Three of it", value={"quantity": 3}, request_only=True)
_CART = OpenApiExample(
    "A cart with one line",
    value={"items": [{"product_id": _PRODUCT, "quantity": 1}]},
    request_only=True,
)
_LINE = OpenApiParameter(
    "product_id", {"type": "string", "pattern": ID_PATTERN}, OpenApiParameter.PATH
)
_READ = problems((400, "validation_error"), (401, "not_authenticated"), (404, "cart_not_found"))
_WRITE = {**_READ, **problems((412, "precondition_failed"), (429, "rate_limited"))}
_LINES = {**_WRITE, **problems((403, "owner_only"))}
_PUT_IN: dict[Any, Any] = problems(
    (404, "cart_not_found"),
    (404, "product_not_found"),
    (409, "product_unavailable"),
    (409, "insufficient_stock"),
    (409, "product_mismatch"),
    (409, "quantity_limit"),
    (415, "unsupported_media_type"),
)
_SET = extend_schema(
    operation_id="set_cart_item",
    summary="Set how many of a product the cart holds",
    parameters=[IF_MATCH, _LINE],
    examples=[_QUANTITY],
    responses={
        200: CartShape,
        **_LINES,
        **_PUT_IN,
        **problems((404, "cart_not_found"), (404, "item_not_in_cart")),
    },
)

# Of the methods mapped onto one route, decorated where they stand: the view decorator skips them.
change_item_schema = extend_schema(
    operation_id="change_cart_item",
    summary="As PUT; without `quantity` the line stays",
    parameters=[IF_MATCH, _LINE],
    examples=[_QUANTITY],
    responses={
        200: CartShape,
        **_LINES,
        **_PUT_IN,
        **problems((404, "cart_not_found"), (404, "item_not_in_cart")),
    },
)
remove_item_schema = extend_schema(
    operation_id="remove_cart_item",
    summary="Take a product out of the cart",
    parameters=[IF_MATCH, _LINE],
    responses={
        200: CartShape,
        **_LINES,
        **problems((404, "cart_not_found"), (404, "item_not_in_cart")),
    },
)

carts_schema = extend_schema_view(
    list=extend_schema(
        operation_id="list_carts",
        summary="List your carts, newest first",
        responses={
            200: CartPageShape,
            **URI_TOO_LONG,
            **problems((400, "validation_error"), (401, "not_authenticated")),
        },
    ),
    create=extend_schema(
        operation_id="create_cart",
        summary="Start a cart",
        examples=[_CART],
        responses={
            201: CartShape,
            **problems(
                (400, "validation_error"), (401, "not_authenticated"), (429, "rate_limited")
            ),
            **_PUT_IN,
            **problems((403, "foreign_user"), (404, "product_not_found"), (404, "user_not_found")),
        },
    ),
    retrieve=extend_schema(
        operation_id="get_cart",
        summary="Read a cart with present prices",
        parameters=[IF_NONE_MATCH],
        responses={200: CartShape, 304: None, **_READ},
    ),
    update=extend_schema(
        operation_id="replace_cart",
        summary="Have the cart hold these items and nothing else",
        parameters=[IF_MATCH],
        examples=[_CART],
        responses={200: CartShape, **_WRITE, **_PUT_IN, **problems((403, "foreign_user"))},
    ),
    partial_update=extend_schema(
        operation_id="update_cart",
        summary="As PUT; without `items` the lines stay",
        parameters=[IF_MATCH],
        examples=[_CART],
        responses={200: CartShape, **_WRITE, **_PUT_IN, **problems((403, "foreign_user"))},
    ),
    destroy=extend_schema(
        operation_id="delete_cart",
        summary="Delete a cart",
        parameters=[IF_MATCH],
        responses={204: None, **_WRITE},
    ),
    add_item=extend_schema(
        operation_id="add_cart_item",
        summary="Add a product: 201 for a new line, 200 for a raised one",
        parameters=[IF_MATCH],
        examples=[_ITEM],
        responses={
            200: CartShape,
            201: CartShape,
            **_LINES,
            **_PUT_IN,
            **problems(
                (409, "product_unavailable"),
                (409, "insufficient_stock"),
                (409, "quantity_limit"),
                (409, "cart_full"),
            ),
        },
    ),
    set_item=_SET,
    clear=extend_schema(
        operation_id="clear_cart",
        summary="Take everything out of the cart",
        parameters=[IF_MATCH],
        responses={200: CartShape, **_LINES},
    ),
)
