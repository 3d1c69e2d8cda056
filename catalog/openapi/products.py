"""What the API document says of each operation of the catalog."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from catalog.openapi.problems import problems
from catalog.serializers import (
    BulkShape,
    FacetsShape,
    MovementPageShape,
    ProductPageShape,
    ProductShape,
    SparseProductShape,
    SuggestionsShape,
)
from catalog.services.stock import MAX_STOCK
from ecommerce.core.openapi import IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, URI_TOO_LONG

_FULL = OpenApiExample(
    "With variants",
    value={
        "name": "Linen shirt",
        "price": "39.00",
        "compare_at_price": "49.00",
        "category": "textiles",
        "tags": ["new"],
        "attributes": {"material": "linen", "weight_g": 210},
        "variants": [
            {"sku": "SHIRT-M", "options": {"size": "M"}, "quantity": 4},
            {"sku": "SHIRT-L", "options": {"size": "L"}, "quantity": 0, "price": "41.00"},
        ],
    },
    request_only=True,
)
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
_MERGE = OpenApiExample(
    "Change one attribute, take another away",
    value={"attributes": {"material": "walnut", "weight_g": None}},
    request_only=True,
    media_type="application/merge-patch+json",
)
_ROWS = OpenApiExample(
    "One of each",
    value={
        "mode": "reject-failed-rows",
        "rows": [
            {"operation": "create", "name": "Oak shelf", "price": 59, "sku": "SHELF-1"},
            {"operation": "update", "sku": "LAMP-1", "version": 3, "price": "44.50"},
            {"operation": "upsert", "sku": "MUG-1", "name": "Mug", "price": 9, "quantity": 40},
            {"operation": "delete", "id": "6650f0a2c1d2e3f405162738"},
        ],
    },
    request_only=True,
)
_RESULTS = OpenApiExample(
    "One row was refused",
    value={
        "succeeded": 1,
        "failed": 1,
        "rows": [
            {
                "index": 0,
                "status": 201,
                "code": "created",
                "id": "6650f0a2c1d2e3f405162739",
                "version": 1,
            },
            {
                "index": 1,
                "status": 404,
                "code": "product_not_found",
                "id": None,
                "version": None,
                "detail": "There is no such product.",
                "errors": [
                    {
                        "pointer": "/rows/1/sku",
                        "code": "product_not_found",
                        "detail": "There is no such product.",
                    }
                ],
            },
        ],
    },
    response_only=True,
)
_WRITE = problems(
    (400, "validation_error"),
    (401, "not_authenticated"),
    (403, "permission_denied"),
    (404, "category_not_found"),
    (409, "duplicate_product"),
    (409, "quantity_of_variants"),
    (415, "unsupported_media_type"),
    (429, "rate_limited"),
)
_CHANGE = {
    **_WRITE,
    **problems(
        (404, "product_not_found"), (404, "category_not_found"), (412, "precondition_failed")
    ),
}

products_schema = extend_schema_view(
    list=extend_schema(
        operation_id="list_products",
        summary="Search, filter and list products",
        description=(
            "Parameters must all match. `category`, `brand`, `tag`, `status` and `ids` may be "
            "given several times, and then any of their values may match."
        ),
        parameters=[IF_NONE_MATCH],
        responses={
            200: ProductPageShape,
            304: None,
            **URI_TOO_LONG,
            **problems((400, "validation_error"), (401, "invalid_token")),
        },
    ),
    create=extend_schema(
        operation_id="create_product",
        summary="Add a product (staff)",
        examples=[_SIMPLE, _FULL],
        responses={201: ProductShape, **_WRITE},
    ),
    retrieve=extend_schema(
        operation_id="get_product",
        summary="Read a product",
        description=(
            "`id` is the product's id or its slug; 24 hexadecimal digits are an id. Both give the "
            "same body. Changes take the id."
        ),
        parameters=[IF_NONE_MATCH, IF_MODIFIED_SINCE],
        responses={
            200: SparseProductShape,
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
        examples=[_PRICE, _MERGE],
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
    facets=extend_schema(
        operation_id="product_facets",
        summary="Count what each further filter would leave",
        description=(
            "Takes the filters of the list. Each facet leaves out its own filter. Of categories, "
            "brands and tags it shows the 100 most frequent values, and those that the filters "
            "choose and some product has; `more` says where there are others."
        ),
        parameters=[IF_NONE_MATCH],
        responses={
            200: FacetsShape,
            304: None,
            **URI_TOO_LONG,
            **problems((400, "validation_error"), (401, "invalid_token")),
        },
    ),
    suggest=extend_schema(
        operation_id="suggest_products",
        summary="Complete what somebody types",
        description=(
            "At most 10 names of products for sale in which every word of `q` begins a word: first "
            "the names that begin like `q`, then the others, both by name. A product that is only "
            "found by its brand, a tag or its sku is no suggestion."
        ),
        parameters=[IF_NONE_MATCH],
        responses={
            200: SuggestionsShape,
            304: None,
            **URI_TOO_LONG,
            **problems((400, "validation_error"), (401, "invalid_token")),
        },
    ),
    bulk=extend_schema(
        operation_id="bulk_products",
        summary="Create, change and delete up to 500 products (staff)",
        description=(
            "Every row gets its own result, and a faulty one says where with a pointer such as "
            "`/rows/3/price`. All rows are checked before the first is written, each against the "
            "shop as the rows before it leave it; a product may stand in one row. `update` and "
            "`upsert` change the fields that are sent; `upsert` adds the product if none has the "
            "sku. With `reject-failed-rows` the sound rows are written, and the answer is 200 even "
            "if none was. With `all-or-nothing` a faulty row means 409, and nothing is written. "
            "There is no transaction: what others change between the check and a row's write is "
            "reported as that row's result, in both modes."
        ),
        examples=[_ROWS, _RESULTS],
        responses={
            200: BulkShape,
            **problems(
                (400, "validation_error"),
                (401, "not_authenticated"),
                (403, "permission_denied"),
                (409, "bulk_rejected"),
                (413, "body_too_large"),
                (415, "unsupported_media_type"),
                (429, "rate_limited"),
            ),
        },
    ),
    stock=extend_schema(
        operation_id="move_stock",
        summary="Add or take away pieces (staff)",
        description="Atomic, never below zero, recorded with its reason.",
        parameters=[IF_MATCH],
        examples=[
            OpenApiExample(
                "Three were broken", value={"delta": -3, "reason": "broken"}, request_only=True
            )
        ],
        responses={
            200: ProductShape,
            **_CHANGE,
            **problems(
                (404, "product_not_found"),
                (404, "variant_not_found"),
                (409, "insufficient_stock", {"available_quantity": 2}),
                (409, "stock_limit", {"limit": MAX_STOCK}),
            ),
        },
    ),
)
movements_schema = extend_schema(
    operation_id="list_stock_movements",
    summary="List what changed the stock, newest first (staff)",
    responses={
        200: MovementPageShape,
        **URI_TOO_LONG,
        **problems(
            (400, "validation_error"),
            (401, "not_authenticated"),
            (403, "permission_denied"),
            (404, "product_not_found"),
        ),
    },
)
