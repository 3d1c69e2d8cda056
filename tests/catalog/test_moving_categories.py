"""A product written while its category moves stands, in the end, where the category stands."""

from collections.abc import Callable
from typing import Any

import pytest

from catalog import selectors
from catalog.documents import Category, CategoryRow, CategoryTree, Product, ProductRow
from catalog.services import CategoryService, ProductService, categories
from ecommerce.core.mongo import collection

Act = Callable[[], Any]
Strike = Callable[..., None]


@pytest.fixture(autouse=True)
def moving(make_category: Callable[..., CategoryRow]) -> None:
    """A category `moving` below `a`, with other places to go to."""
    for slug in ("a", "b", "c"):
        make_category(slug)
    make_category("moving", "a")


@pytest.fixture
def strike_after_each_read(monkeypatch: pytest.MonkeyPatch) -> Strike:
    """Have others act, in turn, each time the write of a product has read its category."""

    def arm(*acts: Act) -> None:
        left = list(acts)
        at_work: list[Act] = []

        def struck(read: Callable[[str], Any]) -> Callable[[str], Any]:
            def late(reference: str) -> Any:
                found = read(reference)
                if reference == "moving" and left and not at_work:
                    at_work.append(left.pop(0))
                    at_work[0]()
                    at_work.clear()
                return found

            return late

        for name in ("category", "category_with_slug"):
            monkeypatch.setattr(selectors, name, struck(getattr(selectors, name)))

    return arm


def move(parent: str) -> None:
    CategoryService.update(reference="moving", changes={"parent": parent})


def place(document: Any, **where: Any) -> Any:
    row = collection(document).find_one(where) or {}
    return row.get("path", row.get("category_path")), row["tree_version"]


@pytest.mark.parametrize("parents", ["b", "bc", "bca", "bcab", "bcabc"])
def test_a_product_made_while_its_category_moves_on_and_on_stands_at_the_last_place(
    parents: str, make_product: Callable[..., ProductRow], strike_after_each_read: Strike
) -> None:
    strike_after_each_read(*(lambda to=parent: move(to) for parent in parents))
    product = make_product(category="moving")
    assert place(Product, _id=product["_id"]) == place(Category, slug="moving")


@pytest.mark.parametrize("parents", ["b", "bc", "bca", "bcab"])
def test_so_does_one_that_is_put_there_meanwhile(
    parents: str, lamp: ProductRow, strike_after_each_read: Strike
) -> None:
    strike_after_each_read(*(lambda to=parent: move(to) for parent in parents))
    ProductService.update(product_id=str(lamp["_id"]), changes={"category": "moving"})
    assert place(Product, _id=lamp["_id"]) == place(Category, slug="moving")


def test_a_late_step_of_an_older_move_does_not_keep_a_new_product_at_the_older_place(
    make_product: Callable[..., ProductRow], strike_after_each_read: Strike
) -> None:
    older: list[int] = []

    def move_twice() -> None:
        move("b")
        older.append((collection(CategoryTree).find_one({}) or {})["version"])
        move("c")

    def step_late() -> None:
        late: Any = {"kind": "change", "slug": "moving", "path": ["b", "moving"], "values": {}}
        categories._change(older[0], late)

    strike_after_each_read(move_twice, step_late)
    product = make_product(category="moving")
    assert product["category_path"] == ["c", "moving"]
    assert place(Product, _id=product["_id"]) == place(Category, slug="moving")


def test_a_product_that_was_put_elsewhere_meanwhile_stays_there(
    make_product: Callable[..., ProductRow], strike_after_each_read: Strike
) -> None:
    def put_elsewhere() -> None:
        row = collection(Product).find_one({}) or {}
        ProductService.update(product_id=str(row["_id"]), changes={"category": "a"})

    strike_after_each_read(lambda: move("b"), put_elsewhere)
    product = make_product(category="moving")
    assert place(Product, _id=product["_id"]) == place(Category, slug="a")


def test_a_product_whose_category_is_deleted_meanwhile_goes_where_its_products_go(
    make_product: Callable[..., ProductRow], strike_after_each_read: Strike
) -> None:
    strike_after_each_read(
        lambda: move("b"), lambda: CategoryService.delete(reference="moving", products_to="c")
    )
    product = make_product(category="moving")
    assert (product["category"], product["category_path"]) == ("c", ["c"])
    assert (collection(Product).find_one({"_id": product["_id"]}) or {})["category"] == "c"


def gone(reference: str, products_to: str | None) -> Act:
    return lambda: CategoryService.delete(reference=reference, products_to=products_to)


@pytest.mark.parametrize(
    ("acts", "where"),
    [
        ([gone("moving", "c")], "c"),
        ([lambda: move("b"), gone("moving", "b")], "b"),
        ([lambda: (gone("moving", "b")(), gone("b", "c")())], "c"),
        ([gone("moving", None)], None),
    ],
    ids=["at once", "after a move", "on and on", "with nowhere to go"],
)
def test_a_product_written_after_its_category_went_follows_the_products_that_were_there(
    acts: list[Act],
    where: str | None,
    make_product: Callable[..., ProductRow],
    strike_after_each_read: Strike,
) -> None:
    strike_after_each_read(*acts)
    made = make_product(category="moving")
    assert made.get("category") == where
    stored = collection(Product).find_one({"_id": made["_id"]}) or {}
    assert stored.get("category_path") == ([where] if where else None)


def test_so_does_one_that_is_put_there_after_it_went(
    lamp: ProductRow, strike_after_each_read: Strike
) -> None:
    strike_after_each_read(gone("moving", "c"))
    ProductService.update(product_id=str(lamp["_id"]), changes={"category": "moving"})
    assert place(Product, _id=lamp["_id"]) == place(Category, slug="c")


def test_of_two_that_had_one_slug_the_last_one_says_where_to(
    lamp: ProductRow, make_category: Callable[..., CategoryRow], strike_after_each_read: Strike
) -> None:
    gone("moving", "b")()
    make_category("moving", "a")
    strike_after_each_read(gone("moving", "c"))
    ProductService.update(product_id=str(lamp["_id"]), changes={"category": "moving"})
    assert place(Product, _id=lamp["_id"]) == place(Category, slug="c")
