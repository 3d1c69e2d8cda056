"""What the API document says of imports and exports."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from catalog.serializers import (
    ImportForm,
    ImportJobPageShape,
    ImportJobShape,
    ImportResultPageShape,
)
from ecommerce.core.openapi import IF_NONE_MATCH, URI_TOO_LONG, problems

_LINES = '{"name": "Walnut desk lamp", "price": 49.9, "sku": "LAMP-1", "quantity": 12}\n'
_FILES = {
    "text/csv": "Handle,Title,Variant SKU,Variant Price\nlamp,Walnut desk lamp,LAMP-1,49.90\n",
    "application/json": f"[{_LINES.strip()}]",
    "application/x-ndjson": _LINES,
    "application/jsonl": _LINES,
}
_EXAMPLES = [
    OpenApiExample(f"As {media}", value=text, request_only=True, media_type=media)
    for media, text in _FILES.items()
]
_FORM = OpenApiExample(
    "As a form",
    value={"file": "products.csv"},
    request_only=True,
    media_type="multipart/form-data",
)
_READ = {
    **URI_TOO_LONG,
    **problems(
        (400, "validation_error"),
        (401, "not_authenticated"),
        (403, "permission_denied"),
    ),
}
_FOUND = {**_READ, **problems((404, "import_not_found"))}

imports_schema = extend_schema_view(
    list=extend_schema(
        operation_id="list_product_imports",
        summary="List imports of the last 30 days, newest first (staff)",
        responses={200: ImportJobPageShape, **_READ},
    ),
    create=extend_schema(
        operation_id="import_products",
        summary="Import products from a file (staff)",
        description=(
            "CSV with Shopify's columns, JSON (a list of products) or JSON Lines, of at most "
            "50 MB; as the body, or as `file` of a form. The answer comes at once, the rows come "
            "in afterwards: follow `Location` until `state` is `done` or `failed`. A row is the "
            "product with its sku, else the one with its slug; if only its variants have skus, "
            "the product one of whose variants has the first. What a file has no place for, of a "
            "product or of a variant, stays as it is. A faulty row keeps no other from coming in. "
            "An import whose server was killed is finished by the next one."
        ),
        request={
            "multipart/form-data": ImportForm,
            **dict.fromkeys(_FILES, OpenApiTypes.BINARY),
        },
        examples=[_FORM, *_EXAMPLES],
        responses={
            202: ImportJobShape,
            **problems(
                (400, "validation_error"),
                (400, "empty_file"),
                (401, "not_authenticated"),
                (403, "permission_denied"),
                (413, "body_too_large"),
                (415, "unsupported_media_type"),
                (429, "rate_limited"),
            ),
        },
    ),
    retrieve=extend_schema(
        operation_id="get_product_import",
        summary="Read how far an import is (staff)",
        parameters=[IF_NONE_MATCH],
        responses={200: ImportJobShape, 304: None, **_FOUND},
    ),
    rows=extend_schema(
        operation_id="list_product_import_rows",
        summary="List what became of each row of an import (staff)",
        responses={200: ImportResultPageShape, **_FOUND},
    ),
)
exports_schema = extend_schema(
    operation_id="export_products",
    summary="Download products as a file (staff)",
    description=(
        "Takes the filters of the list; drafts and archived products are in it too. Importing the "
        "file again changes nothing."
    ),
    responses={
        (200, "text/csv"): OpenApiTypes.STR,
        (200, "application/x-ndjson"): OpenApiTypes.STR,
        **_READ,
    },
)
