"""Writes of the category tree, one at a time, each finished by whoever comes next if it must be.

A change is decided on a tree whose version is known, recorded as the tree's `intent` in one guarded
update (which fails when another change came first), then carried out in steps that do nothing the
second time. Each step carries the tree's version, so that one that comes late changes nothing that
a later change has written.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Literal, NotRequired, TypedDict, cast

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from catalog import selectors
from catalog.documents import Category, CategoryRow, CategoryTree, CategoryTreeRow, Product
from catalog.documents.categories import TREE_ID
from catalog.errors import (
    BusyError,
    CategoryCycleError,
    CategoryDepthError,
    CategoryInUseError,
    CategoryNotFoundError,
    DuplicateCategoryError,
    SlugIsFixedError,
    UnknownCategoryError,
)
from catalog.keys import short_slug_of
from catalog.topics import PRODUCTS, TREE
from ecommerce.core.checkpoints import checkpoint
from ecommerce.core.errors import PreconditionFailedError
from ecommerce.core.idempotency import Operation
from ecommerce.core.ids import is_id
from ecommerce.core.mongo import collection, insert_new, new_row, utc_now
from ecommerce.core.response_cache import changed

MAX_DEPTH: Final = 10
"""Levels of the tree."""
_ATTEMPTS: Final = 200


class NewCategory(TypedDict):
    """What a category is made of."""

    name: str
    slug: NotRequired[str | None]
    parent: NotRequired[str | None]
    position: NotRequired[int]


class _Intent(TypedDict, total=False):
    """A decided change: what every step of it needs. An empty one: there is nothing left to do."""

    kind: Literal["create", "change", "delete"]
    rows: list[dict[str, Any]]
    slug: str
    path: list[str]
    """Where the category stands afterwards, or where its products go; empty for nowhere."""
    values: dict[str, Any]


class CategoryService:
    """Every change of the tree."""

    @staticmethod
    def create(*, values: NewCategory, operation: Operation | None = None) -> CategoryRow:
        """Add one category. Without a slug it gets one made of its name.

        Its id is the operation's, so that a retry makes no second one.

        Raises:
            CategoryNotFoundError: an earlier try made it, and it was deleted since.
            DuplicateCategoryError: another category has the slug.
            UnknownCategoryError: there is no such parent.
            CategoryDepthError: the tree would get too deep.
        """
        return _create_all([values], operation or Operation.unkeyed())[0]

    @staticmethod
    def create_many(*, values: Sequence[NewCategory]) -> list[CategoryRow]:
        """Add categories, parents before what stands below them: all or none.

        Raises:
            As `create`.
        """
        return _create_all(values, Operation.unkeyed())

    @staticmethod
    def ensure(*, name: str, dry_run: bool = False) -> str:
        """The slug of the category that this is the slug, the id or the name of; a new root if
        there is none, which a dry run does not make.

        Raises:
            UnknownCategoryError: it has the form of an id, which no category has.
        """
        slug = short_slug_of(name)
        if is_id(slug):  # so has the name, but for case and signs
            return _place(slug, "/category")["slug"]
        known = selectors.categories_by_slug((name, slug))
        if name in known:
            return name
        if slug not in known and not dry_run:
            with suppress(DuplicateCategoryError):  # another was faster
                CategoryService.create(values={"name": name, "slug": slug})
        return slug

    @staticmethod
    def update(
        *,
        reference: str,
        changes: Mapping[str, Any],
        expected_versions: Sequence[int] | None = None,
    ) -> CategoryRow:
        """Change name, position or parent (None: make it a root).

        Raises:
            CategoryNotFoundError: none such.
            UnknownCategoryError: there is no such parent.
            CategoryCycleError: the parent is the category itself or stands below it.
            CategoryDepthError: the tree would get too deep.
            SlugIsFixedError: `changes` has another slug.
            PreconditionFailedError: the category has another version.
        """

        def decide(version: int) -> _Intent:  # noqa: ARG001
            row = _expected(reference, expected_versions)
            if changes.get("slug") not in (None, row["slug"]):
                raise SlugIsFixedError
            values = {name: changes[name] for name in ("name", "position") if name in changes}
            path = _new_path(row, changes["parent"]) if "parent" in changes else row["path"]
            return {"kind": "change", "slug": row["slug"], "path": path, "values": values}

        return selectors.category(_write(decide)["slug"])

    @staticmethod
    def delete(
        *,
        reference: str,
        products_to: str | None = None,
        expected_versions: Sequence[int] | None = None,
    ) -> None:
        """Take a category away; its products go to `products_to`.

        Raises:
            CategoryNotFoundError: none such.
            CategoryInUseError: it has products and nobody said where they go, or subcategories.
            UnknownCategoryError: there is no category `products_to`, or it is this one.
            PreconditionFailedError: the category has another version.
        """

        def decide(version: int) -> _Intent:  # noqa: ARG001
            row = _expected(reference, expected_versions)
            slug, path = row["slug"], list[str]()
            if selectors.child_of(slug) is not None:
                raise CategoryInUseError("categories")
            if products_to:
                path = _place(products_to, "/products_to")["path"]
            elif selectors.has_products(slug):
                raise CategoryInUseError("products")
            if path[-1:] == [slug]:
                raise UnknownCategoryError("/products_to")
            return {"kind": "delete", "slug": slug, "path": path, "values": {}}

        _write(decide)

    @staticmethod
    def settle() -> None:
        """Carry out a change that was decided by a process that died. Safe to repeat."""
        _settled_tree()


# --- deciding ----------------------------------------------------------------------------------


def _create_all(values: Sequence[NewCategory], operation: Operation) -> list[CategoryRow]:
    """The new categories, of which the first has the operation's id."""
    made: list[dict[str, Any]] = []

    def decide(version: int) -> _Intent:
        # The tree stands still, with every intent carried out: what a try before this made is here.
        sought = operation.id if operation.keyed else None
        present = selectors.categories_named(_names(values), or_id=sought)
        before = [dict(row) for row in present if row["_id"] == operation.id]
        if before and "path" not in before[0]:
            raise CategoryNotFoundError
        made[:] = before or _new_rows(values, present, version, operation.id)
        return {} if before else {"kind": "create", "rows": made}

    _write(decide)
    return [cast(CategoryRow, row) for row in made]


def _names(values: Sequence[NewCategory]) -> list[str]:
    """The slugs that the new categories are about: their own, and of what they stand below."""
    own = [value.get("slug") or short_slug_of(value["name"]) for value in values]
    return own + [parent for value in values if (parent := value.get("parent"))]


def _new_rows(
    values: Sequence[NewCategory],
    present: Sequence[CategoryRow],
    version: int,
    first_id: ObjectId,
) -> list[dict[str, Any]]:
    known: dict[str, list[str]] = {row["slug"]: row["path"] for row in present}
    rows = []
    for number, value in enumerate(values):
        above = _path_of(value.get("parent"), known)
        slug = value.get("slug") or _free_slug(value["name"], known)
        if slug in known:
            raise DuplicateCategoryError
        path = [*above, slug]
        _check_depth(len(path))
        known[slug] = path
        rows.append(_new_row(value, path, version, ObjectId() if number else first_id))
    return rows


def _path_of(parent: str | None, known: Mapping[str, list[str]]) -> list[str]:
    if not parent:
        return []
    return known[parent] if parent in known else _place(parent, "/parent")["path"]


def _new_row(
    value: NewCategory, path: list[str], version: int, category_id: ObjectId
) -> dict[str, Any]:
    return new_row(
        Category,
        id=category_id, slug=path[-1], name=value["name"], path=path, path_key="/".join(path),
        position=value.get("position", 0), tree_version=version,
        **({"parent": path[-2]} if len(path) > 1 else {}),
    )  # fmt: skip


def _free_slug(name: str, known: Mapping[str, Any]) -> str:
    """Made of the name; with a number behind it where others have it already.

    Args:
        known: categories by slug; those with the plain one, and those that get made now, are there.
    """
    base = short_slug_of(name)
    slug, number = base, 1
    while slug in known or is_id(slug) or (number > 1 and selectors.category_with_slug(slug)):
        number += 1
        slug = f"{base}-{number}"
    return slug


def _place(reference: str, pointer: str) -> CategoryRow:
    try:
        return selectors.category(reference)
    except CategoryNotFoundError:
        raise UnknownCategoryError(pointer) from None


def _expected(reference: str, versions: Sequence[int] | None) -> CategoryRow:
    row = selectors.category(reference)
    if versions is not None and row["version"] not in versions:
        raise PreconditionFailedError
    return row


def _new_path(row: CategoryRow, parent: str | None) -> list[str]:
    above = _place(parent, "/parent")["path"] if parent else []
    if row["slug"] in above:
        raise CategoryCycleError
    deepest = max(len(other["path"]) for other in selectors.subtree(row["slug"]))
    _check_depth(len(above) + 1 + deepest - len(row["path"]))
    return [*above, row["slug"]]


def _check_depth(levels: int) -> None:
    if levels > MAX_DEPTH:
        raise CategoryDepthError(MAX_DEPTH)


# --- recording and carrying out ------------------------------------------------------------------


def _write(decide: Callable[[int], _Intent]) -> _Intent:
    """Decide on a tree that stands still, record, carry out.

    Raises:
        BusyError: others were always faster.
    """
    for _ in range(_ATTEMPTS):
        tree = _settled_tree()
        version = tree["version"] + 1
        intent = decide(version)
        if not intent:
            return intent
        recorded = collection(CategoryTree).find_one_and_update(
            {"_id": TREE_ID, "version": tree["version"], "intent": None},
            {"$set": {"intent": intent}, "$inc": {"version": 1}},
        )
        if recorded is not None:
            checkpoint("categories.decided")
            _finish(version, intent)
            return intent
    raise BusyError


def _settled_tree() -> CategoryTreeRow:
    """The tree without a change under way: what another began is finished first."""
    row = collection(CategoryTree).find_one({"_id": TREE_ID}) or _planted()
    tree = cast(CategoryTreeRow, row)
    if tree["intent"] is not None:
        _finish(tree["version"], cast(_Intent, tree["intent"]))
        return _settled_tree()
    return tree


def _planted() -> dict[str, Any]:
    tree = {"_id": TREE_ID, "version": 0, "intent": None}
    with suppress(DuplicateKeyError):  # another was first: the guarded update that follows tells
        collection(CategoryTree).insert_one(dict(tree))
    return tree


def _finish(version: int, intent: _Intent) -> None:
    try:
        _STEPS[intent["kind"]](version, intent)
    finally:
        changed(TREE, PRODUCTS)
    checkpoint("categories.carried_out")
    collection(CategoryTree).update_one(
        {"_id": TREE_ID, "version": version}, {"$set": {"intent": None}}
    )


def _create(version: int, intent: _Intent) -> None:  # noqa: ARG001
    insert_new(Category, intent["rows"])  # whoever was faster at the same step has made them


def _change(version: int, intent: _Intent) -> None:
    slug, path = intent["slug"], intent["path"]
    for row in selectors.subtree(slug):
        itself = row["slug"] == slug
        new = [*path, *row["path"][row["path"].index(slug) + 1 :]]
        if itself or row["path"] != new:
            _place_category(row, new, version, values=intent["values"] if itself else {})
        _move_products(row["slug"], new, version)


def _place_category(
    row: CategoryRow, path: list[str], version: int, *, values: Mapping[str, Any]
) -> None:
    place = {"path": path, "path_key": "/".join(path), "tree_version": version}
    change: dict[str, Any] = {
        "$set": {**values, **place, "updated_at": utc_now()},
        "$inc": {"version": 1},
    }
    if len(path) > 1:
        change["$set"]["parent"] = path[-2]
    else:
        change["$unset"] = {"parent": ""}
    collection(Category).update_one({"_id": row["_id"], "tree_version": {"$lt": version}}, change)


def _delete(version: int, intent: _Intent) -> None:
    slug, path = intent["slug"], intent["path"]
    kept: dict[str, Any] = {"former_slug": slug, "tree_version": version}
    if path:  # for a product that is written at this moment
        kept["products_to"] = path[-1]
    # It stays without its place in the tree: if it went, a late `_create` would bring it back.
    gone = dict.fromkeys(("slug", "parent", "path", "path_key"), "")
    collection(Category).update_one(
        {"slug": slug, "tree_version": {"$lt": version}},
        {"$set": kept, "$unset": gone},
    )
    _move_products(slug, path, version)


def _move_products(category: str, path: list[str], version: int) -> None:
    """Have the products of a category stand at this path."""
    change: dict[str, Any] = {"$set": {"updated_at": utc_now()}, "$inc": {"version": 1}}
    if path:
        change["$set"] |= {"category": path[-1], "category_path": path, "tree_version": version}
    else:
        change["$unset"] = {"category": "", "category_path": "", "tree_version": ""}
    collection(Product).update_many(
        {"category": category, "category_path": {"$ne": path}, "tree_version": {"$lt": version}},
        change,
    )


_STEPS: Final[Mapping[str, Callable[[int, _Intent], None]]] = {
    "create": _create,
    "change": _change,
    "delete": _delete,
}
