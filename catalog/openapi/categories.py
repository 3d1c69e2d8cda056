"""What the API document says of each operation on categories."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from catalog.openapi.problems import problems
from catalog.serializers import (
    CategoryPageShape,
    CategoryShape,
    ProductPageShape,
)
from catalog.services.categories import MAX_DEPTH
from ecommerce.core.openapi import IF_MATCH, IF_NONE_MATCH, URI_TOO_LONG

_LAMPS = OpenApiExample(
    "Below another", value={"name": "Lamps", "parent": "home", "position": 3}, request_only=True
)
_MOVED = OpenApiExample("Move", value={"parent": "office"}, request_only=True)
_DENIED = problems(
    (400, "validation_error"),
    (401, "not_authenticated"),
    (403, "permission_denied"),
    (429, "rate_limited"),
)
_WRITE = {**_DENIED, **problems((415, "unsupported_media_type"))}
_CREATE = problems(
    (404, "category_not_found"),
    (409, "duplicate_category"),
    (409, "category_depth", {"limit": MAX_DEPTH}),
    (409, "busy"),
)
_CHANGE = {
    **_WRITE,
    **problems(
        (404, "category_not_found"),
        (409, "category_cycle"),
        (409, "slug_fixed"),
        (409, "category_depth", {"limit": MAX_DEPTH}),
        (409, "busy"),
        (412, "precondition_failed"),
    ),
}
_READ = problems((400, "validation_error"), (401, "invalid_token"))
_FOUND = {**_READ, **problems((404, "category_not_found"))}

categories_schema = extend_schema_view(
    list=extend_schema(
        operation_id="list_categories",
        summary="List the category tree, or what stands below one",
        parameters=[IF_NONE_MATCH],
        responses={200: CategoryPageShape, 304: None, **URI_TOO_LONG, **_READ},
    ),
    create=extend_schema(
        operation_id="create_category",
        summary="Add a category (staff)",
        examples=[_LAMPS],
        responses={201: CategoryShape, **_WRITE, **_CREATE},
    ),
    retrieve=extend_schema(
        operation_id="get_category",
        summary="Read a category",
        parameters=[IF_NONE_MATCH],
        responses={200: CategoryShape, 304: None, **_FOUND},
    ),
    update=extend_schema(
        operation_id="replace_category",
        summary="Rename or move a category (staff)",
        description="What is not sent gets its default: without `parent` it becomes a root.",
        parameters=[IF_MATCH],
        examples=[_LAMPS],
        responses={200: CategoryShape, **_CHANGE},
    ),
    partial_update=extend_schema(
        operation_id="update_category",
        summary="Change name, parent or position of a category (staff)",
        description="Its products and what stands below move with it.",
        parameters=[IF_MATCH],
        examples=[_MOVED],
        responses={200: CategoryShape, **_CHANGE},
    ),
    destroy=extend_schema(
        operation_id="delete_category",
        summary="Take a category away (staff)",
        parameters=[IF_MATCH],
        responses={
            204: None,
            **_DENIED,
            **problems(
                (404, "category_not_found"),
                (409, "category_in_use", {"holds": "products"}),
                (409, "busy"),
                (412, "precondition_failed"),
            ),
        },
    ),
    products=extend_schema(
        operation_id="list_category_products",
        summary="List the products of a category and of what stands below it",
        parameters=[IF_NONE_MATCH],
        responses={200: ProductPageShape, 304: None, **URI_TOO_LONG, **_FOUND},
    ),
)
