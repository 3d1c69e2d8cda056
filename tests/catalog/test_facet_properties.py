"""Facets agree with lists: each count is what the list holds once one chooses that value."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.documents import Product
from catalog.selectors import Facets, ProductFilter, facets, product_page
from catalog.services import CategoryService, ProductService
from ecommerce.core.document_classes import documents
from ecommerce.core.mongo import collection, uses_embedded_store
from ecommerce.core.pagination import PageRequest
from tests.client import ApiClient

QUERIES: Final = 5_000 if uses_embedded_store() else 300
"""Over the wire each takes milliseconds, and the answers are the server's own."""
REQUESTS: Final = QUERIES // 100
PRODUCTS: Final = 40
WORDS: Final = ("oak", "lamp", "Blue", "mug", "Café")
BRANDS: Final = ("Eastlight", "Fennick", "O'Hara & Co", "brand:x")
TAGS: Final = ("new", "gift", "sale", "Eastlight")
TREE: Final = {"home": None, "lamps": "home", "floor-lamps": "lamps", "garden": None, "empty": None}
PRICES: Final = (0, 500, 999, 1000, 2499, 2500, 120_000)


@pytest.fixture(scope="module", autouse=True)
def store() -> Iterator[list[ObjectId]]:
    """One seeded catalog for all of these tests: nothing here writes."""
    for document in documents():
        collection(document).delete_many({})
    chance = random.Random(2026)
    CategoryService.create_many(
        values=[{"name": slug, "slug": slug, "parent": above} for slug, above in TREE.items()]
    )
    yield [ProductService.create(values=random_product(chance))["_id"] for _ in range(PRODUCTS)]
    collection(Product).delete_many({})


def random_product(chance: random.Random) -> dict[str, Any]:
    return {
        "name": " ".join(chance.sample(WORDS, k=2)),
        "price_minor": chance.choice(PRICES),
        "quantity": chance.choice((0, 3)),
        "brand": chance.choice((*BRANDS, None)),
        "tags": chance.sample(TAGS, k=chance.randint(0, 3)),
        "category": chance.choice(("home", "lamps", "floor-lamps", "garden", None)),
        "status": chance.choice(("active", "active", "active", "draft", "archived")),
    }


def some_of(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    """Half of the time none: no filter."""
    several = st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)
    return st.one_of(st.just(()), several)


filters = st.fixed_dictionaries(
    {
        "statuses": st.sampled_from([("active",), ("active",), ("active", "draft", "archived")]),
        "q": st.sampled_from(["", "", "", *WORDS, "la mu", "cafe", "nothing"]),
        "categories": some_of((*TREE, "unknown")),
        "brands": some_of((*BRANDS, "eastlight")),
        "tags": some_of((*TAGS, "unknown")),
        "min_price": st.sampled_from([None, None, 0, 500, 1000]),
        "max_price": st.sampled_from([None, None, 1000, 2499, 200_000]),
        "in_stock": st.sampled_from([None, None, True, False]),
    }
)
places = st.sampled_from([(0, PRODUCTS), (0, PRODUCTS), (0, 20), (10, 30), (39, 40)])
"""Which products are named by their ids; all of them is as good as none named."""


def size(chosen: ProductFilter) -> int:
    """How many the list holds."""
    return len(product_page(chosen, ordering="newest", request=PageRequest(limit=100)).rows)


def counts_and_lists(
    chosen: ProductFilter, found: Facets, pick: int
) -> Iterator[tuple[int, ProductFilter]]:
    """One value of each facet, listed there or not: its count, and the list that it stands for."""
    category, brand = [*TREE][pick % len(TREE)], BRANDS[pick % len(BRANDS)]
    yield dict(found.category).get(category, 0), replace(chosen, categories=(category,))
    yield dict(found.brand).get(brand, 0), replace(chosen, brands=(brand,))
    tag = TAGS[pick % len(TAGS)]
    yield dict(found.tag).get(tag, 0), replace(chosen, tags=(tag,))
    yield found.in_stock.get(pick % 2 == 0, 0), replace(chosen, in_stock=pick % 2 == 0)
    if found.price:
        low, high, count = found.price[pick % len(found.price)]
        yield count, replace(chosen, min_price=low, max_price=high)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(
    max_examples=QUERIES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(values=filters, named=places, pick=st.integers(0, 59))
def test_each_count_is_the_length_of_the_list_with_that_value_and_without_the_facet_s_own_filter(
    values: dict[str, Any], named: tuple[int, int], pick: int, store: list[ObjectId]
) -> None:
    ids = store[slice(*named)]
    chosen = ProductFilter(**values, ids=tuple(ids) if len(ids) < PRODUCTS else ())
    found = facets(chosen)
    for count, narrowed in counts_and_lists(chosen, found, pick):
        assert count == size(narrowed), narrowed
    total = size(replace(chosen, min_price=None, max_price=None))
    assert sum(count for _, _, count in found.price) == total, "every price is in one range"


@settings(
    max_examples=REQUESTS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(values=filters)
def test_over_http_every_count_of_every_facet_is_the_count_of_the_list(
    values: dict[str, Any],
) -> None:
    api, query = ApiClient(), as_query(values)
    answer = api.get(f"/products/facets?{urlencode(query, doseq=True)}")
    assert answer.status == 200, answer.body
    for facet in ("category", "brand", "tag", "in_stock"):
        for row in answer[facet]:
            value = str(row["value"]).lower() if facet == "in_stock" else row["value"]
            assert listed(api, {**query, facet: value}) == row["count"], (query, facet, value)
    for row in answer["price"]:
        bounds = {name: row[name] for name in ("min_price", "max_price") if row[name] is not None}
        others = {n: v for n, v in query.items() if n not in {"min_price", "max_price"}}
        assert listed(api, {**others, **bounds}) == row["count"], (query, bounds)


def listed(api: ApiClient, query: dict[str, Any]) -> int:
    answer = api.get(f"/products/?{urlencode({**query, 'count': 'true', 'limit': 1}, doseq=True)}")
    assert answer.status == 200, answer.body
    total: int = answer["count"]
    return total


def as_query(values: dict[str, Any]) -> dict[str, Any]:
    """As a shopper asks; a lowest price above the highest is refused, so one of them goes."""
    low, high = values["min_price"], values["max_price"]
    if low is not None and high is not None and low > high:
        low = None
    query = {
        "q": values["q"],
        "category": values["categories"],
        "brand": values["brands"],
        "tag": values["tags"],
        "min_price": None if low is None else f"{low / 100:.2f}",
        "max_price": None if high is None else f"{high / 100:.2f}",
        "in_stock": None if values["in_stock"] is None else str(values["in_stock"]).lower(),
    }
    return {name: value for name, value in query.items() if value not in (None, "", ())}
