"""GET /products/facets. That counts agree with lists is in test_facet_properties."""

from collections.abc import Callable
from typing import Any

import pytest

from catalog.documents import CategoryRow, ProductRow
from catalog.services import CategoryService
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
        "category": [
            {"value": "home", "name": "Home", "count": 2},
            {"value": "lamps", "name": "Lamps", "count": 1},
        ],
        "brand": [{"value": "Eastlight", "count": 2}, {"value": "Fennick", "count": 1}],
        "tag": [{"value": "new", "count": 2}, {"value": "oak", "count": 1}],
        "price": [
            {"min_price": 0.0, "max_price": 9.99, "count": 1},
            {"min_price": 10.0, "max_price": 24.99, "count": 1},
            {"min_price": 1000.0, "max_price": None, "count": 1},
        ],
        "in_stock": [{"value": True, "count": 2}, {"value": False, "count": 1}],
        "more": {"category": False, "brand": False, "tag": False},
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
        "more": {"category": False, "brand": False, "tag": False},
    }  # fmt: skip


@pytest.mark.usefixtures("shelf")
def test_the_same_counts_are_a_304(anyone: ApiClient, make_product: Make) -> None:
    tag = anyone.get("/products/facets").headers["ETag"]
    assert anyone.get("/products/facets", If_None_Match=tag).status == 304
    make_product()
    assert anyone.get("/products/facets", If_None_Match=tag).status == 200


def test_a_category_that_gets_another_name_is_counted_under_it(
    shelf: None, anyone: ApiClient
) -> None:
    tag = anyone.get("/products/facets").headers["ETag"]
    CategoryService.update(reference="lamps", changes={"name": "Lights"})
    answer = anyone.get("/products/facets", If_None_Match=tag)
    assert answer.status == 200
    assert [row["name"] for row in answer["category"]] == ["Home", "Lights"]


# --- more values than are shown ----------------------------------------------------------------


@pytest.fixture
def wide_shelf(make_product: Make, make_category: Callable[..., CategoryRow]) -> None:
    """Of categories, brands and tags 101 with two products each, and one with a single product."""
    for number in range(101):
        make_category(f"c{number:03}")
        for _ in range(2):
            make_product(category=f"c{number:03}", brand=f"B{number:03}", tags=[f"t{number:03}"])
    make_category("zrare")
    make_product(name="Rare", category="zrare", brand="Zrare", tags=["zrare"])


@pytest.mark.usefixtures("wide_shelf")
def test_a_chosen_value_is_in_its_facet_however_rare_it_is(anyone: ApiClient) -> None:
    for facet, rare, frequent in (
        ("category", "zrare", "c"), ("brand", "Zrare", "B"), ("tag", "zrare", "t"),
    ):  # fmt: skip
        first = [(f"{frequent}{number:03}", 2) for number in range(100)]
        assert list(counts(anyone.get("/products/facets"), facet).items()) == first

        answer = anyone.get(f"/products/facets?{facet}={rare}")
        assert list(counts(answer, facet).items()) == [*first, (rare, 1)]
        assert answer["more"] == {name: name == facet for name in ("category", "brand", "tag")}
    both = counts(anyone.get("/products/facets?brand=Zrare&brand=B000&tag=zrare"), "brand")
    assert both == {"Zrare": 1}, "what is chosen, too, is counted under the other filters"


@pytest.mark.usefixtures("wide_shelf")
def test_a_facet_says_whether_it_has_more_values_than_it_shows(anyone: ApiClient) -> None:
    assert anyone.get("/products/facets")["more"] == {
        "category": True, "brand": True, "tag": True,
    }  # fmt: skip
    assert anyone.get("/products/facets?brand=Zrare")["more"]["brand"] is True
    everything = anyone.get("/products/facets?brand=Zrare&brand=B100")
    assert len(everything["brand"]) == 102
    assert everything["more"]["brand"] is False
    assert anyone.get("/products/facets?brand=B000&brand=B001")["more"]["brand"] is True
