"""GET /products/facets: counts that agree with the list."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from catalog.documents import CategoryRow, ProductRow
from catalog.selectors import ProductFilter, facets, product_page
from catalog.services import CategoryService, ProductService
from ecommerce.core.pagination import PageRequest
from tests.client import ApiClient

Make = Callable[..., ProductRow]


@pytest.fixture
def shelf(make_product: Make, make_category: Callable[..., CategoryRow]) -> None:
    make_category("home")
    make_category("lamps", "home")
    make_product(name="A", category="lamps", brand="Eastlight", tags=["new"], price_minor=999)
    make_product(name="B", category="home", brand="Fennick", tags=["new", "oak"], price_minor=1000)
    make_product(name="C", brand="Eastlight", price_minor=250_000, quantity=0)
    make_product(name="D", status="draft", brand="Hidden")


def counts(answer: Any, facet: str) -> dict[str, int]:
    return {row["value"]: row["count"] for row in answer[facet]}


@pytest.mark.usefixtures("shelf")
def test_each_facet_counts_what_its_filter_would_leave(anyone: ApiClient) -> None:
    assert anyone.get("/products/facets").json() == {
        "category": [{"value": "home", "count": 2}, {"value": "lamps", "count": 1}],
        "brand": [{"value": "Eastlight", "count": 2}, {"value": "Fennick", "count": 1}],
        "tag": [{"value": "new", "count": 2}, {"value": "oak", "count": 1}],
        "price": [
            {"min_price": 0.0, "max_price": 9.99, "count": 1},
            {"min_price": 10.0, "max_price": 24.99, "count": 1},
            {"min_price": 1000.0, "max_price": None, "count": 1},
        ],
        "in_stock": [{"value": True, "count": 2}, {"value": False, "count": 1}],
    }


@pytest.mark.usefixtures("shelf")
def test_a_facet_leaves_out_its_own_filter(anyone: ApiClient) -> None:
    answer = anyone.get("/products/facets?brand=Fennick&tag=new")
    assert counts(answer, "brand") == {"Eastlight": 1, "Fennick": 1}
    assert counts(answer, "tag") == {"new": 1, "oak": 1}
    assert counts(answer, "category") == {"home": 1}


@pytest.mark.usefixtures("shelf")
def test_a_filter_that_leaves_nothing_counts_nothing(anyone: ApiClient) -> None:
    assert anyone.get("/products/facets?q=nothing").json() == {
        "category": [], "brand": [], "tag": [], "price": [], "in_stock": [],
    }  # fmt: skip


@pytest.mark.usefixtures("shelf")
def test_the_same_counts_are_a_304(anyone: ApiClient, make_product: Make) -> None:
    tag = anyone.get("/products/facets").headers["ETag"]
    assert anyone.get("/products/facets", If_None_Match=tag).status == 304
    make_product()
    assert anyone.get("/products/facets", If_None_Match=tag).status == 200


WORDS = ("oak", "lamp", "blue", "mug")
BRANDS = ("Eastlight", "Fennick", "O'Hara & Co")
TAGS = ("new", "gift", "sale")
SLUGS = ("home", "lamps", "floor-lamps", "garden")


def test_counts_agree_with_the_list_on_5000_random_queries() -> None:
    chance = random.Random(2026)
    CategoryService.create_many(
        values=[
            {"name": "Home", "slug": "home"},
            {"name": "Lamps", "slug": "lamps", "parent": "home"},
            {"name": "Floor lamps", "slug": "floor-lamps", "parent": "lamps"},
            {"name": "Garden", "slug": "garden"},
        ]
    )
    for _ in range(40):
        ProductService.create(
            values={
                "name": " ".join(chance.sample(WORDS, k=2)),
                "price_minor": chance.choice((0, 500, 999, 1000, 5000, 120_000)),
                "quantity": chance.choice((0, 3)),
                "brand": chance.choice((*BRANDS, None)),
                "tags": chance.sample(TAGS, k=chance.randint(0, 3)),
                "category": chance.choice((*SLUGS, None)),
                "status": "active",
            }
        )
    compared = 0
    for _ in range(5000):
        chosen = ProductFilter(**random_filter(chance))
        narrowed, expected = random_count(chance, chosen)
        for part, number in zip(narrowed, expected, strict=True):
            page = product_page(part, ordering="newest", request=PageRequest(limit=100))
            assert len(page.rows) == number, part
            compared += 1
    assert compared > 4000, "most queries had something to compare"


def random_count(
    chance: random.Random, chosen: ProductFilter
) -> tuple[list[ProductFilter], list[int]]:
    """One value of one facet: the filter that it stands for, and the count that it has."""
    found = facets(chosen)
    values: list[tuple[ProductFilter, int]] = [
        *((replace(chosen, categories=(value,)), n) for value, n in found.category),
        *((replace(chosen, brands=(value,)), n) for value, n in found.brand),
        *((replace(chosen, tags=(value,)), n) for value, n in found.tag),
        *((replace(chosen, min_price=low, max_price=top), n) for low, top, n in found.price),
        *((replace(chosen, in_stock=value), n) for value, n in found.in_stock.items()),
    ]
    picked = [chance.choice(values)] if values else []
    return [part for part, _ in picked], [number for _, number in picked]


def random_filter(chance: random.Random) -> dict[str, Any]:
    low = chance.choice((None, None, 0, 500, 1000))
    return {
        "q": chance.choice(("", "", *WORDS, "la mu")),
        "categories": tuple(chance.sample(SLUGS, k=chance.choice((0, 0, 1, 2)))),
        "brands": tuple(chance.sample(BRANDS, k=chance.choice((0, 0, 1, 2)))),
        "tags": tuple(chance.sample(TAGS, k=chance.choice((0, 0, 1, 2)))),
        "min_price": low,
        "max_price": chance.choice((None, None, 1000, 200_000)),
        "in_stock": chance.choice((None, None, True, False)),
    }
