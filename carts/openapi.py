"""What the API document says of each operation on carts."""

from functools import partial
from typing import Any, Final

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_view,
)

from carts.limits import MAX_OPEN_CARTS
from carts.serializers import (
    CartPageShape,
    CartProblemShape,
    CartShape,
    ItemInput,
    ItemsInput,
    MergedShape,
    NewCartShape,
)
from ecommerce.core.ids import ID_PATTERN
from ecommerce.core.openapi import IF_MATCH, IF_NONE_MATCH, URI_TOO_LONG, Case
from ecommerce.core.openapi import problems as problems_with

problems = partial(problems_with, shape=CartProblemShape)
_PRODUCT = "665f1c2e8b3e4a0012ab34cd"
_INTO = "665f1c2e8b3e4a0012ab34ce"
_ITEM = OpenApiExample(
    "Two of a product", value={"product_id": _PRODUCT, "quantity": 2}, request_only=True
)
_VARIANT = OpenApiExample(
    "A variant, as a gift",
    value={"product_id": _PRODUCT, "sku": "SHIRT-M", "quantity": 1, "note": "For Ada, with love"},
    request_only=True,
)
_ITEMS = OpenApiExample(
    "Several at once",
    value={"items": [{"product_id": _PRODUCT, "quantity": 2}]},
    request_only=True,
)
_QUANTITY = OpenApiExample("Three of it", value={"quantity": 3}, request_only=True)
_CART = OpenApiExample(
    "A cart with one line",
    value={"items": [{"product_id": _PRODUCT, "quantity": 1}]},
    request_only=True,
)
_ADD = PolymorphicProxySerializer(
    component_name="AddInput", serializers=[ItemInput, ItemsInput], resource_type_field_name=None
)
_LINE = OpenApiParameter(
    "product_id", {"type": "string", "pattern": ID_PATTERN}, OpenApiParameter.PATH
)
_TOKEN: Final = OpenApiParameter(
    "X-Cart-Token",
    str,
    OpenApiParameter.HEADER,
    description="A guest's way to their cart: the `cart_token` that `POST /shopping-carts/` gave.",
)
_CART_TOKEN: Final = "cartToken"  # noqa: S105 - the name of a security scheme
_IF_GUESTS_MATCH: Final = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description=(
        "Merge only if the guest's cart, which the path names, still has this version, for example "
        '`"v3"`; else 412. The cart that it goes into may have any. The `ETag` of the answer is '
        "that of the cart in it."
    ),
)
_MERGED: Final = (409, "cart_merged", {"merged_into": _INTO})
_CHOICE: Final = {"product_id": _PRODUCT, "skus": ["SHIRT-M", "SHIRT-L"]}
_MOVED: Final[Case] = (
    412,
    "precondition_failed",
    {
        "cart": {
            "id": _INTO,
            "user_id": None,
            "status": "open",
            "items": [],
            "saved_items": [],
            "total_quantity": 0,
            "subtotal": 0,
            "currency": "EUR",
            "version": 4,
            "expires_at": "2026-05-01T12:00:00.000+00:00",
            "created_at": "2026-01-31T12:00:00.000+00:00",
            "updated_at": "2026-01-31T12:00:00.000+00:00",
        }
    },
)
_READ = problems((400, "validation_error"), (401, "invalid_token"), (404, "cart_not_found"))
_WRITE = {
    **_READ,
    **problems(
        _MERGED,
        (409, "cart_busy"),
        _MOVED,
        (429, "rate_limited"),
    ),
}
_LEFT: Final = {"product_id": _PRODUCT, "sku": "SHIRT-M", "available_quantity": 3}
_TOO_FEW: Final = (409, "insufficient_stock", {**_LEFT, "in_cart": 2})
_TOO_FEW_TO_SET: Final = (409, "insufficient_stock", _LEFT)
_NOT_SOLD: Final = (
    _MERGED,
    (409, "product_unavailable"),
    (409, "unknown_variant", _CHOICE),
)
_ITEM_PROBLEMS: Final = (*_NOT_SOLD, _TOO_FEW, (409, "quantity_limit"))
_PUT_IN: dict[Any, Any] = problems(
    (404, "cart_not_found"),
    (404, "product_not_found"),
    *_ITEM_PROBLEMS,
    (415, "unsupported_media_type"),
)
_REPLACE: dict[Any, Any] = problems(
    (403, "foreign_user"), *_NOT_SOLD, _TOO_FEW_TO_SET, (409, "quantity_limit"), (409, "cart_busy")
)
_LINES: dict[Any, Any] = {
    **_WRITE,
    **problems(
        (404, "cart_not_found"),
        (404, "item_not_in_cart"),
        _MERGED,
        (409, "ambiguous_item", {"skus": _CHOICE["skus"]}),
        (409, "cart_busy"),
    ),
}
_SET: dict[Any, Any] = {
    **_LINES,
    **problems(
        _MERGED,
        (409, "ambiguous_item", {"skus": _CHOICE["skus"]}),
        (409, "product_unavailable"),
        _TOO_FEW_TO_SET,
        (409, "product_mismatch"),
        (409, "cart_busy"),
        (415, "unsupported_media_type"),
    ),
}
_MOVE: dict[Any, Any] = {
    **_LINES,
    **problems(
        _MERGED,
        (409, "ambiguous_item", {"skus": _CHOICE["skus"]}),
        (409, "quantity_limit"),
        (409, "cart_full"),
        (409, "cart_busy"),
        (415, "unsupported_media_type"),
    ),
}
_RESTORE: dict[Any, Any] = {
    **_LINES,
    **problems(
        _MERGED,
        (409, "ambiguous_item", {"skus": _CHOICE["skus"]}),
        (409, "product_unavailable"),
        _TOO_FEW,
        (409, "quantity_limit"),
        (409, "cart_full"),
        (409, "cart_busy"),
        (415, "unsupported_media_type"),
    ),
}

# Of the methods mapped onto one route, decorated where they stand: the view decorator skips them.
change_item_schema = extend_schema(
    operation_id="change_cart_item",
    summary="As PUT; what is left out stays",
    parameters=[_TOKEN, IF_MATCH, _LINE],
    examples=[_QUANTITY],
    responses={200: CartShape, **_SET},
)
remove_item_schema = extend_schema(
    operation_id="remove_cart_item",
    summary="Take a product out of the cart",
    parameters=[_TOKEN, IF_MATCH, _LINE],
    responses={200: CartShape, **_LINES},
)

carts_schema = extend_schema_view(
    list=extend_schema(
        operation_id="list_carts",
        summary="List your carts, newest first; staff finds anybody's",
        responses={
            200: CartPageShape,
            **URI_TOO_LONG,
            **problems(
                (400, "validation_error"),
                (401, "not_authenticated"),
                (403, "staff_only_filter"),
            ),
        },
    ),
    create=extend_schema(
        operation_id="create_cart",
        summary="Start a cart; without signing in, a guest's",
        examples=[_CART],
        responses={
            201: NewCartShape,
            **problems((400, "validation_error"), (401, "invalid_token"), (429, "rate_limited")),
            **_PUT_IN,
            **problems(
                (403, "foreign_user"),
                (404, "cart_not_found"),
                (404, "product_not_found"),
                (404, "user_not_found"),
                *_ITEM_PROBLEMS,
                (409, "too_many_carts", {"limit": MAX_OPEN_CARTS}),
                (409, "cart_busy"),
            ),
        },
    ),
    retrieve=extend_schema(
        operation_id="get_cart",
        summary="Read a cart with present prices",
        parameters=[_TOKEN, IF_NONE_MATCH],
        responses={200: CartShape, 304: None, **_READ},
    ),
    update=extend_schema(
        operation_id="replace_cart",
        summary="Have the cart hold these items and nothing else",
        parameters=[_TOKEN, IF_MATCH],
        examples=[_CART],
        responses={200: CartShape, **_WRITE, **_PUT_IN, **_REPLACE},
    ),
    partial_update=extend_schema(
        operation_id="update_cart",
        summary="As PUT; without `items` the lines stay",
        parameters=[_TOKEN, IF_MATCH],
        examples=[_CART],
        responses={200: CartShape, **_WRITE, **_PUT_IN, **_REPLACE},
    ),
    destroy=extend_schema(
        operation_id="delete_cart",
        summary="Delete a cart",
        parameters=[_TOKEN, IF_MATCH],
        responses={204: None, **_WRITE},
    ),
    add_item=extend_schema(
        operation_id="add_cart_item",
        summary="Add one item or several: 201 where a line was started, 200 where one was raised",
        parameters=[_TOKEN, IF_MATCH],
        request=_ADD,
        examples=[_ITEM, _VARIANT, _ITEMS],
        responses={
            200: CartShape,
            201: CartShape,
            **_WRITE,
            **_PUT_IN,
            **problems(*_ITEM_PROBLEMS, (409, "cart_full"), (409, "cart_busy")),
        },
    ),
    set_item=extend_schema(
        operation_id="set_cart_item",
        summary="Set how many of a product the cart holds",
        parameters=[_TOKEN, IF_MATCH, _LINE],
        examples=[_QUANTITY],
        responses={200: CartShape, **_SET},
    ),
    save_item=extend_schema(
        operation_id="save_cart_item",
        summary="Keep a line for later: out of the totals, not out of sight",
        parameters=[_TOKEN, IF_MATCH, _LINE],
        request=None,
        responses={200: CartShape, **_MOVE},
    ),
    restore_item=extend_schema(
        operation_id="restore_cart_item",
        summary="Move a saved line back into the cart",
        parameters=[_TOKEN, IF_MATCH, _LINE],
        request=None,
        responses={200: CartShape, **_RESTORE},
    ),
    remove_saved_item=extend_schema(
        operation_id="remove_saved_cart_item",
        summary="Take a product out of what is saved for later",
        parameters=[_TOKEN, IF_MATCH, _LINE],
        responses={200: CartShape, **_LINES},
    ),
    merge=extend_schema(
        operation_id="merge_cart",
        summary="Merge a guest's cart into one of yours, or make it yours",
        parameters=[_TOKEN, _IF_GUESTS_MATCH],
        examples=[
            OpenApiExample(
                "Into a cart of yours",
                value={"into": _INTO, "mode": "sum"},
                request_only=True,
            )
        ],
        responses={
            200: MergedShape,
            **_WRITE,
            **problems(
                (401, "not_authenticated"),
                (404, "cart_not_found"),
                (404, "merge_target_not_found"),
                _MERGED,
                (409, "not_a_guest_cart"),
                (409, "too_many_carts", {"limit": MAX_OPEN_CARTS}),
                (409, "cart_busy"),
                (415, "unsupported_media_type"),
            ),
        },
    ),
    clear=extend_schema(
        operation_id="clear_cart",
        summary="Take everything out of the cart",
        parameters=[_TOKEN, IF_MATCH],
        responses={200: CartShape, **_WRITE},
    ),
    refresh_prices=extend_schema(
        operation_id="refresh_cart_prices",
        summary="Accept the present prices",
        parameters=[_TOKEN, IF_MATCH],
        request=None,
        responses={
            200: CartShape,
            **_WRITE,
            **problems(_MERGED, (409, "cart_busy"), (415, "unsupported_media_type")),
        },
    ),
)


def add_cart_token(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Have *Authorize* in the docs hold a guest's secret, beside a token or instead of one."""
    schemes = result["components"]["securitySchemes"]
    schemes[_CART_TOKEN] = {
        "type": "apiKey",
        "in": "header",
        "name": _TOKEN.name,
        "description": "For guests: the `cart_token` that `POST /shopping-carts/` answered.",
    }
    for path, item in result["paths"].items():
        if path.startswith("/shopping-carts/{id}"):
            for operation in item.values():
                operation["security"] = _with_cart_token(operation["security"])
    return result


def _with_cart_token(ways: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if {} in ways:  # nobody needs to be signed in
        return [*(way for way in ways if way), {_CART_TOKEN: []}, {}]
    return [*({**way, _CART_TOKEN: []} for way in ways), *ways]
