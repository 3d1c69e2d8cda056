"""Paging through any list, both ways, while others write: nothing repeats, nothing is skipped."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.documents import Product
from catalog.selectors import ORDERINGS, ProductFilter, product_page
from catalog.services import CategoryService, ProductService
from ecommerce.core.mongo import collection, uses_embedded_store
from ecommerce.core.pagination import Page, PageRequest

EXAMPLES: Final = 250 if uses_embedded_store() else 40
"""Over the wire each write takes milliseconds."""

names = st.lists(st.sampled_from(["Oak", "lamp", "Lampe", "mug"]), min_size=1, max_size=2)
products = st.fixed_dictionaries(
    {
        "name": names.map(" ".join),
        "price_minor": st.sampled_from([0, 500, 999]),
        "quantity": st.sampled_from([0, 3]),
        "brand": st.sampled_from(["Eastlight", "Fennick", None]),
        "tags": st.lists(st.sampled_from(["new", "lamp"]), unique=True),
        "category": st.sampled_from(["home", "desks", None]),
        "status": st.sampled_from(["active", "active", "active", "draft"]),
    }
)
filters = st.builds(
    ProductFilter,
    statuses=st.sampled_from([("active",), ("active",), ("active", "draft")]),
    q=st.sampled_from(["", "", "lamp", "l", "oak"]),
    categories=st.sampled_from([(), (), ("home",), ("desks", "home")]),
    brands=st.sampled_from([(), (), ("Eastlight",), ("Eastlight", "Fennick")]),
    tags=st.sampled_from([(), (), ("new",)]),
    max_price=st.sampled_from([None, None, 500]),
    in_stock=st.sampled_from([None, None, True]),
)
places = st.integers(0, 30)
"""Which of the products, counted round and round."""
writes = st.one_of(
    st.tuples(st.just("add"), st.just(0), products),
    st.tuples(st.just("remove"), places, st.none()),
    st.tuples(st.just("change"), places, products),
)
turns = st.lists(st.lists(writes, max_size=3), max_size=8)
"""What happens after each page; nothing any more after the last turn."""


class Shop:
    """A catalog that others write to, and which products they never touched."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        collection(Product).delete_many({})
        self.ids = [ProductService.create(values=row)["_id"] for row in rows]
        self.touched = set[ObjectId]()

    def write(self, kind: str, place: int, values: dict[str, Any] | None) -> None:
        """Add, remove or change one."""
        if kind == "add":
            self.ids.append(ProductService.create(values=values or {})["_id"])
            return
        if not self.ids:
            return
        chosen = self.ids[place % len(self.ids)]
        self.touched.add(chosen)
        if kind == "remove":
            self.ids.remove(chosen)
            ProductService.delete(product_id=str(chosen))
        else:
            ProductService.update(product_id=str(chosen), changes=values or {})


def ids_of(pages: list[Page]) -> list[ObjectId]:
    return [row["_id"] for page in pages for row in page.rows]


@pytest.fixture
def tree() -> None:
    CategoryService.create_many(
        values=[{"name": "Home", "slug": "home"}, {"name": "D", "slug": "desks", "parent": "home"}]
    )


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(products, max_size=10),
    chosen=filters,
    ordering=st.sampled_from(sorted(ORDERINGS)),
    limit=st.integers(1, 4),
    there=turns,
    back=turns,
)
@pytest.mark.usefixtures("tree")
def test_a_row_that_stays_is_met_once_on_the_way_there_and_once_on_the_way_back(
    rows: list[dict[str, Any]],
    chosen: ProductFilter,
    ordering: str,
    limit: int,
    there: list[Any],
    back: list[Any],
) -> None:
    shop = Shop(rows)

    def page(cursor: str = "", limit: int = limit) -> Page:
        return product_page(chosen, ordering=ordering, request=PageRequest(limit, cursor))

    def walk(start: Page, link: str, happening: Iterator[list[Any]]) -> list[Page]:
        pages = [start]
        while (cursor := getattr(pages[-1], link)) is not None:
            for write in next(happening, []):
                shop.write(*write)
            pages.append(page(cursor))
        return pages

    at_first = ids_of([page(limit=100)])
    forwards = walk(page(), "next", iter(there))
    stayed = [row for row in at_first if row not in shop.touched]
    assert [row for row in ids_of(forwards) if row in stayed] == stayed
    assert_only_changed_rows_repeat(forwards, shop)

    backwards = walk(forwards[-1], "previous", iter(back))
    stayed = [row for row in at_first if row not in shop.touched]
    assert [row for row in ids_of(backwards[::-1]) if row in stayed] == stayed
    assert_only_changed_rows_repeat(backwards, shop)


def assert_only_changed_rows_repeat(pages: list[Page], shop: Shop) -> None:
    met = Counter(ids_of(pages))
    assert {row for row, times in met.items() if times > 1} <= shop.touched


@settings(
    max_examples=EXAMPLES // 5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(products, max_size=12),
    chosen=filters,
    ordering=st.sampled_from(sorted(ORDERINGS)),
    limit=st.integers(1, 5),
)
@pytest.mark.usefixtures("tree")
def test_pages_of_any_size_are_the_list_cut_in_pieces(
    rows: list[dict[str, Any]], chosen: ProductFilter, ordering: str, limit: int
) -> None:
    Shop(rows)
    whole = product_page(chosen, ordering=ordering, request=PageRequest(100, "", count=True))
    assert whole.total == len(whole.rows)
    pages = list[Page]()
    cursor: str | None = ""
    while cursor is not None:
        found = product_page(chosen, ordering=ordering, request=PageRequest(limit, cursor))
        pages.append(found)
        cursor = found.next
    assert ids_of(pages) == ids_of([whole])
    assert all(len(part.rows) == limit for part in pages[:-1])
    assert len(list(chain.from_iterable(part.rows for part in pages))) == whole.total
