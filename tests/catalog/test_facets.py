"""GET /products/facets. That counts agree with lists is in test_facet_properties."""

from collections.abc import Callable
from typing import Any

import pytest

from catalog.documents import CategoryRow, ProductRow
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
