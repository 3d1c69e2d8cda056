"""What must hold of the tree of categories."""

from collections.abc import Iterator
from typing import Final

from bson import ObjectId

from catalog.documents import Category, CategoryTree
from catalog.documents.categories import TREE_ID
from catalog.services import CategoryService
from catalog.services.categories import MAX_DEPTH
from catalog.topics import PRODUCTS, TREE
from ecommerce.core.invariants import Case, Checked, Reference, Row, Rule, Run, Update
from ecommerce.core.invariants.rules import Repair
from ecommerce.core.response_cache import changed

_OF_TREE: Final = ("slug", "parent", "path", "path_key")
PARENT: Final = Reference(
    Category, lambda row: [row["parent"]] if "parent" in row else [], by="slug", fields=("path",)
)
TREE_OF: Final = Reference(CategoryTree, lambda _: [TREE_ID], fields=("version",))


def _is_gone(row: Row) -> bool:
    return "slug" not in row


def _gone(case: Case) -> str | None:
    if not _is_gone(case.row):
        return None
    left = [name for name in _OF_TREE if name in case.row]
    if left:
        return f"{', '.join(left)}: kept by a deleted category"
    return None if "former_slug" in case.row else "slug: missing"


def _path(case: Case) -> str | None:
    """Parents stand in the path, each once: so there is no cycle."""
    row = case.row
    if _is_gone(row):
        return None
    path: list[str] = row.get("path", [])
    if path[-1:] != [row["slug"]]:
        return "path: does not end with the category itself"
    if len(path) != len(set(path)):
        return "path: goes in a circle"
    if len(path) > MAX_DEPTH:
        return f"path: deeper than {MAX_DEPTH} levels"
    parent = path[-2] if len(path) > 1 else None
    return None if row.get("parent") == parent else "parent: not the path's"


def _parent(case: Case) -> str | None:
    if "parent" not in case.row or _is_gone(case.row) or _path(case) is not None:
        return None
    parent = case.one(PARENT, case.row["parent"])
    if parent is None:
        return "parent: no such category"
    right = parent.get("path") == case.row["path"][:-1]
    return None if right else "path: not below where its parent stands"


def _order(case: Case) -> str | None:
    row = case.row
    if _is_gone(row) or row.get("path_key") == "/".join(row.get("path", [])):
        return None
    return "path_key: not what the path says"


def _ordered(case: Case) -> Repair:
    return Update("made anew of the path", {"path_key": "/".join(case.row.get("path", []))})


def _age(case: Case) -> str | None:
    tree = case.one(TREE_OF, TREE_ID)
    ahead = tree is None or case.row["tree_version"] > tree["version"]
    return "tree_version: ahead of the tree" if ahead else None


def _category_changed(category_id: ObjectId) -> None:  # noqa: ARG001
    changed(TREE, PRODUCTS)


def _settled(case: Case) -> str | None:
    if case.row["_id"] != TREE_ID:
        return "no tree of ours"
    return "intent: a change that is not carried out" if case.row["intent"] is not None else None


def _settle(case: Case) -> Repair | None:
    if case.row["_id"] != TREE_ID:
        return None
    return Run("change carried out", CategoryService.settle)


def _category_rules() -> Iterator[Rule]:
    yield Rule("gone", "Deleted categories have no place in the tree.", _gone)
    yield Rule("path", "Paths lead from a root down to the category, in no circle.", _path)
    yield Rule("parent", "Parents exist, and stand right above.", _parent, refers=(PARENT,))
    yield Rule("order", "path_key follows from the path.", _order, reads=("path",), repair=_ordered)
    yield Rule("age", "No category is ahead of the tree.", _age, refers=(TREE_OF,))


CHECKED: Final = (
    Checked(Category, tuple(_category_rules()), after_repair=_category_changed),
    Checked(
        CategoryTree,
        (
            Rule(
                "settled",
                "There is one tree, and no change of it is left.",
                _settled,
                repair=_settle,
            ),
        ),
    ),
)
