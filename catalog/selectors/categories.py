"""Reads of the category tree."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, cast

from bson import ObjectId

from catalog.documents import Category, CategoryRow, Product, ProductStatus
from catalog.errors import CategoryNotFoundError
from ecommerce.core.ids import is_id
from ecommerce.core.mongo import collection
from ecommerce.core.pagination import Page, PageRequest, fetch_page

_STANDING: Final = {"path_key": {"$gt": ""}}
"""Those that stand in the tree; deleted ones do not."""


def category(reference: str) -> CategoryRow:
    """A category by its id or its slug.

    Raises:
        CategoryNotFoundError: none such.
    """
    by_id = is_id(reference)
    where = {"_id": ObjectId(reference), **_STANDING} if by_id else {"slug": reference}
    row = collection(Category).find_one(where)
    if row is None:
        raise CategoryNotFoundError
    return cast(CategoryRow, row)


def category_with_slug(slug: str) -> CategoryRow | None:
    """The category with this slug."""
    return cast(CategoryRow | None, collection(Category).find_one({"slug": slug}))


def category_after(slug: str) -> CategoryRow | None:
    """Where the products went of the deleted category that had this slug last; None: nowhere.

    That one may be deleted since, and so on: each went later than the one before.
    """
    gone = collection(Category).find_one(
        {"former_slug": slug}, {"products_to": 1}, sort=[("tree_version", -1)]
    )
    if gone is None or "products_to" not in gone:
        return None
    return category_with_slug(gone["products_to"]) or category_after(gone["products_to"])


def categories_by_slug(slugs: Iterable[str]) -> dict[str, CategoryRow]:
    """The categories with these slugs, in one read; unknown ones are absent."""
    wanted = sorted(set(slugs))
    if not wanted:
        return {}
    rows = collection(Category).find({"slug": {"$in": wanted}})
    return {row["slug"]: cast(CategoryRow, row) for row in rows}


def categories_named(slugs: Iterable[str], *, or_id: ObjectId | None) -> list[CategoryRow]:
    """The categories with these slugs, and the one with the id (deleted or not), in one read."""
    where: dict[str, Any] = {"slug": {"$in": sorted(set(slugs))}}
    if or_id is not None:
        where = {"$or": [where, {"_id": or_id}]}
    return [cast(CategoryRow, row) for row in collection(Category).find(where)]


def category_slugs(references: Sequence[str]) -> tuple[str, ...]:
    """The slugs of categories named by id or slug; a read only if there are ids among them."""
    ids = [ObjectId(reference) for reference in references if is_id(reference)]
    if not ids:
        return tuple(references)
    rows = collection(Category).find({"_id": {"$in": ids}, **_STANDING}, {"slug": 1})
    slugs = {str(row["_id"]): str(row["slug"]) for row in rows}
    return tuple(slugs.get(reference.lower(), reference) for reference in references)


def known_categories(references: Collection[str]) -> set[str]:
    """Those of the slugs and ids that name a category, in at most two reads."""
    slugs = dict(zip(references, category_slugs(list(references)), strict=True))
    known = categories_by_slug(slugs.values())
    return {reference for reference, slug in slugs.items() if slug in known}


def category_page(request: PageRequest, *, parent: str | None) -> Page:
    """Categories from the top of the tree to its bottom; with `parent` ("" for the roots) only
    those right below it, by position."""
    if parent is None:
        return fetch_page(
            collection(Category),
            tiers=[_STANDING],
            ordering=(("path_key", 1), ("_id", 1)),
            request=request,
        )
    return fetch_page(
        collection(Category),
        tiers=[{"parent": parent} if parent else {"parent": None, **_STANDING}],
        ordering=(("position", 1), ("slug", 1), ("_id", 1)),
        request=request,
    )


def every_category() -> Iterator[CategoryRow]:
    """All categories from the top of the tree to its bottom, streamed."""
    rows = collection(Category).find(_STANDING).sort([("path_key", 1), ("_id", 1)])
    return (cast(CategoryRow, row) for row in rows)


def subtree(slug: str) -> list[CategoryRow]:
    """The category and everything below it, from the top down."""
    rows = collection(Category).find({"path": slug}).sort([("path_key", 1), ("_id", 1)])
    return [cast(CategoryRow, row) for row in rows]


def has_products(slug: str) -> bool:
    """Whether any product that is not deleted stands in this very category."""
    where = {"category": slug, "status": {"$ne": ProductStatus.DELETED}}
    return collection(Product).find_one(where, {"_id": 1}) is not None


def child_of(slug: str) -> CategoryRow | None:
    """Any category right below this one."""
    return cast(CategoryRow | None, collection(Category).find_one({"parent": slug}))
