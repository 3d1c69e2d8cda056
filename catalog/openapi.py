"""What the API document says of each operation of the catalog."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from catalog.serializers import ProductPageShape, ProductShape
from ecommerce.core.openapi import IF_MATCH, IF_NONE_MATCH, URI_TOO_LONG, problems

_SIMPLE = OpenApiExample(
    "A simple product",
    value={
        "name": "Walnut desk lamp",
        "description": "Warm light, three steps.",
        "price": 49.9,
        "quantity": 12,
    },
    request_only=True,
)
_PRICE = OpenApiExample("A new price", value={"price": "44.50"}, request_only=True)
_WRITE = problems(
    (400, "validation_error"),
    (401, "not_authenticated"),
    (403, "permission_denied"),
    (409, "duplicate_product"),
    (415, "unsupported_media_type"),
    (429, "rate_limited"),
)
_CHANGE = {**_WRITE, **problems((404, "product_not_found"), (412, "precondition_failed"))}

products_schema = extend_schema_view(
    list=extend_schema(
        operation_id="list_products",
        summary="List products, newest first",
        responses={
            200: ProductPageShape,
            **URI_TOO_LONG,
            **problems((400, "validation_error"), (401, "invalid_token")),
        },
    ),
    create=extend_schema(
        operation_id="create_product",
        summary="Add a product (staff)",
        examples=[_SIMPLE],
        responses={201: ProductShape, **_WRITE},
    ),
    retrieve=extend_schema(
        operation_id="get_product",
        summary="Read a product",
        parameters=[IF_NONE_MATCH],
        responses={
            200: ProductShape,
            304: None,
            **problems(
                (400, "validation_error"), (401, "invalid_token"), (404, "product_not_found")
            ),
        },
    ),
    update=extend_schema(
        operation_id="replace_product",
        summary="Replace a product (staff)",
        description="Optional fields that are not sent get their defaults.",
        parameters=[IF_MATCH],
        examples=[_SIMPLE],
        responses={200: ProductShape, **_CHANGE},
    ),
    partial_update=extend_schema(
        operation_id="update_product",
        summary="Change some fields of a product (staff)",
        parameters=[IF_MATCH],
        examples=[_PRICE],
        responses={200: ProductShape, **_CHANGE},
    ),
    destroy=extend_schema(
        operation_id="delete_product",
        summary="Take a product out of the shop (staff)",
        parameters=[IF_MATCH],
        responses={
            204: None,
            **problems(
                (400, "validation_error"),
                (401, "not_authenticated"),
                (403, "permission_denied"),
                (404, "product_not_found"),
                (412, "precondition_failed"),
                (429, "rate_limited"),
            ),
        },
    ),
)
