"""GET /products/ with `q`, filters, ordering and `fields`; GET /products/suggest."""

from collections.abc import Callable
from typing import Any

import pytest

from catalog.documents import CategoryRow, ProductRow
from tests.client import ApiClient, Person

Make = Callable[..., ProductRow]


def names(api: ApiClient, query: str) -> list[str]:
    """The names of all pages of a list, which are walked two rows at a time."""
    found, target = list[str](), f"/products/?limit=2&{query}"
    while target:
        answer = api.get(target.removeprefix("http://testserver"))
        assert answer.status == 200, answer.body
        found += [product["name"] for product in answer["items"]]
        target = answer["next"]
    return found


# --- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "q",
    ["walnut", "WALNUT", "wal", "desk wal", "lamp%20desk", "eastl", "gift", "ln-44", "LN-44"],
)
def test_words_and_their_beginnings_are_found_in_name_brand_tags_and_sku(
    q: str, make_product: Make, anyone: ApiClient
) -> None:
    make_product(name="Walnut desk lamp", brand="Eastlight", tags=["gift"], sku="LN-44")
    make_product(name="Blue mug")
    assert names(anyone, f"q={q}") == ["Walnut desk lamp"]


@pytest.mark.parametrize("q", ["creme brulee", "Crème", "CRÈME BRÛLÉE", "cre\u0301me"])
def test_case_and_accents_make_no_difference(q: str, make_product: Make, anyone: ApiClient) -> None:
    make_product(name="Crème brûlée dish")
    assert names(anyone, f"q={q}") == ["Crème brûlée dish"]


@pytest.mark.parametrize("q", ["walnut mug", "alnut", "lamps", "desk lamp oak", ".*", "w.lnut"])
def test_every_word_must_match_and_none_is_a_pattern(
    q: str, make_product: Make, anyone: ApiClient
) -> None:
    make_product(name="Walnut desk lamp")
    assert names(anyone, f"q={q}") == []


def test_the_sku_comes_first_then_names_that_begin_so_then_the_rest(
    make_product: Make, anyone: ApiClient
) -> None:
    make_product(name="Zebra rug", sku="Lamp")
    make_product(name="Lamp shade")
    make_product(name="Desk lamp")
    make_product(name="Lamp oil")
    make_product(name="Bulb", tags=["lamp"])
    ranked = ["Zebra rug", "Lamp oil", "Lamp shade", "Bulb", "Desk lamp"]
    assert names(anyone, "q=lamp") == names(anyone, "q=lamp&ordering=relevance") == ranked


def test_ranked_pages_lead_back_the_way_they_came(make_product: Make, anyone: ApiClient) -> None:
    for name in ("Lamp A", "Lamp B", "Old lamp", "Tall lamp", "Wide lamp"):
        make_product(name=name)
    pages, target = [], "/products/?q=lamp&limit=2"
    while target:
        answer = anyone.get(target)
        pages.append([product["name"] for product in answer["items"]])
        last, target = answer, answer["next"]
    back, target = list[list[str]](), last["previous"]
    while target:
        answer = anyone.get(target)
        back.insert(0, [product["name"] for product in answer["items"]])
        target = answer["previous"]
    assert pages == [["Lamp A", "Lamp B"], ["Old lamp", "Tall lamp"], ["Wide lamp"]]
    assert back == pages[:-1]


def test_a_word_counts_up_to_its_32nd_letter(make_product: Make, anyone: ApiClient) -> None:
    make_product(name="x" * 40)
    assert names(anyone, f"q={'x' * 40}") == ["x" * 40]
    assert names(anyone, f"q={'x' * 31}") == ["x" * 40]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("q=" + "a" * 201, "/q"),
        ("q=" + "+".join("abcdefghijk"), "/q"),
        ("ordering=cheapest", "/ordering"),
        ("ordering=$where", "/ordering"),
        ("min_price=abc", "/min_price"),
        ("min_price=-1", "/min_price"),
        ("max_price=1.999", "/max_price"),
        ("min_price=2&max_price=1", "/min_price"),
        ("in_stock=maybe", "/in_stock"),
        ("in_stock=null", "/in_stock"),
        ("ids=1,2", "/ids/0"),
        ("ids=" + ",".join(["0" * 24] * 101), "/ids/0"),
        ("&".join(["ids=" + ",".join(["0" * 24] * 51)] * 2), "/ids"),
        ("fields=", "/fields"),
        ("ordering=", "/ordering"),
        ("brand=", "/brand"),
        ("status=deleted", "/status/0"),
        ("fields=name,hashed_password", "/fields"),
        ("brand[$ne]=x", "/brand[$ne]"),
        ("q=a&q=b", "/q"),
    ],
)
@pytest.mark.parametrize("path", ["/products/", "/products/facets"])
def test_what_is_not_understood_is_400(
    query: str, pointer: str, path: str, anyone: ApiClient
) -> None:
    answer = anyone.get(f"{path}?{query}")
    assert answer.outcome == (400, "validation_error")
    assert pointer in answer.pointers


@pytest.mark.parametrize("path", ["/products/exports", "/categories/home/products"])
def test_null_is_no_answer_to_whether_something_is_in_stock(
    path: str, make_category: Callable[..., CategoryRow], sam: Person
) -> None:
    make_category("home")
    answer = sam.api.get(f"{path}?in_stock=null")
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), ["/in_stock"])


# --- filters -----------------------------------------------------------------------------------


@pytest.fixture
def shelf(make_product: Make, make_category: Callable[..., CategoryRow]) -> None:
    make_category("home")
    make_category("lamps", "home")
    make_category("garden")
    make_product(name="A", category="lamps", brand="Eastlight", tags=["new"], price_minor=1000)
    make_product(name="B", category="home", brand="Fennick", tags=["new", "oak"], price_minor=2000)
    make_product(name="C", category="garden", brand="Eastlight", price_minor=3000, quantity=0)
    make_product(name="D", tags=["oak"], price_minor=2000)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("category=lamps", "A"),
        ("category=home", "AB"),
        ("category=home&category=garden", "ABC"),
        ("category=unknown", ""),
        ("brand=Eastlight", "AC"),
        ("brand=eastlight", ""),
        ("brand=Eastlight&brand=Fennick", "ABC"),
        ("tag=oak", "BD"),
        ("tag=oak&tag=new", "ABD"),
        ("min_price=20", "BCD"),
        ("max_price=20", "ABD"),
        ("min_price=10.01&max_price=29.99", "BD"),
        ("in_stock=true", "ABD"),
        ("in_stock=false", "C"),
        ("category=home&tag=oak", "B"),
        ("brand=Eastlight&in_stock=true", "A"),
        ("q=new", "AB"),
        ("q=new&category=lamps", "A"),
    ],
)
@pytest.mark.usefixtures("shelf")
def test_a_filter_narrows_the_list(query: str, expected: str, anyone: ApiClient) -> None:
    assert sorted(names(anyone, query)) == list(expected)


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [("price", "ABDC"), ("-price", "CDBA"), ("name", "ABCD"), ("newest", "DCBA")],
)
@pytest.mark.usefixtures("shelf")
def test_an_ordering_holds_over_all_pages(ordering: str, expected: str, anyone: ApiClient) -> None:
    assert names(anyone, f"ordering={ordering}") == list(expected)


def test_products_can_be_named_by_ids(make_product: Make, anyone: ApiClient) -> None:
    first, second, _ = (make_product(name=name) for name in "ABC")
    assert names(anyone, f"ids={first['_id']},{second['_id']}") == ["B", "A"]
    assert names(anyone, f"ids={first['_id']}&ids={'0' * 24}") == ["A"]


def test_a_category_may_be_named_by_its_id(
    make_product: Make, make_category: Callable[..., CategoryRow], anyone: ApiClient
) -> None:
    category = make_category("lamps")
    make_product(name="A", category="lamps")
    assert names(anyone, f"category={category['_id']}") == ["A"]
    assert names(anyone, f"category={'0' * 24}") == []


def test_customers_never_see_drafts_whatever_they_ask_for(
    make_product: Make, alice: Person, sam: Person
) -> None:
    make_product(name="Draft", status="draft")
    make_product(name="Old", status="archived")
    make_product(name="Sold")
    assert names(alice.api, "") == ["Sold"]
    assert names(alice.api, "status=draft") == []
    assert names(alice.api, "status=draft&status=active") == ["Sold"]
    assert names(sam.api, "status=draft") == ["Draft"]
    assert names(sam.api, "status=draft&status=archived") == ["Old", "Draft"]


def test_a_search_follows_every_change_of_a_product(
    make_product: Make, sam: Person, anyone: ApiClient
) -> None:
    path = f"/products/{make_product(name='Lamp', brand='Eastlight')['_id']}"
    steps: list[tuple[dict[str, Any], str, list[str]]] = [
        ({"name": "Mug"}, "lamp", []),
        ({}, "mug eastlight", ["Mug"]),
        ({"brand": None}, "eastlight", []),
        ({"tags": ["blue"]}, "blue", ["Mug"]),
        ({"sku": "M-1"}, "m-1", ["Mug"]),
        ({"variants": [{"sku": "M-2"}]}, "m-2", ["Mug"]),
        ({"variants": []}, "m-2", []),
    ]
    for change, q, expected in steps:
        assert sam.api.patch(path, change).status == 200
        assert names(anyone, f"q={q}") == expected, change


def test_a_total_is_counted_over_all_ranks(make_product: Make, anyone: ApiClient) -> None:
    for name in ("Lamp", "Old lamp", "Mug"):
        make_product(name=name)
    assert anyone.get("/products/?q=lamp&count=true")["count"] == 2


# --- fields ------------------------------------------------------------------------------------


def test_fields_make_sparse_answers_with_their_own_etag(
    make_product: Make, anyone: ApiClient
) -> None:
    product = make_product(name="Lamp", price_minor=1999)
    path = f"/products/{product['_id']}?fields=price,name"
    answer = anyone.get(path)
    assert answer.json() == {"price": 19.99, "name": "Lamp"}
    assert answer.headers["ETag"] == '"v1-name-price"'
    assert anyone.get(path, If_None_Match='"v1-name-price"').status == 304
    assert anyone.get(path, If_None_Match='"v1"').status == 200
    page = anyone.get("/products/?fields=id,variants&ordering=name")
    assert page["items"] == [{"id": str(product["_id"]), "variants": []}]


def test_ids_come_in_the_ordering_of_the_list_and_not_as_they_are_named(
    make_product: Make, anyone: ApiClient
) -> None:
    a, b, c = (make_product(name=name)["_id"] for name in "ABC")
    assert names(anyone, f"ids={b},{c},{a}&ordering=name") == ["A", "B", "C"]
    assert len(anyone.get(f"/products/?ids={b},{c},{a}&limit=2")["items"]) == 2


# --- suggestions -------------------------------------------------------------------------------


def test_suggestions_are_names_that_go_on_like_this_those_that_begin_so_first(
    make_product: Make, anyone: ApiClient
) -> None:
    for name in ("Desk lamp", "Desk lamp", "Lamp oil", "Blue mug"):
        make_product(name=name)
    make_product(name="Lamp of tomorrow", status="draft")
    assert anyone.get("/products/suggest?q=la")["items"] == ["Lamp oil", "Desk lamp"]
    assert anyone.get("/products/suggest?q=lamp+de")["items"] == ["Desk lamp"]
    assert anyone.get("/products/suggest?q=.*")["items"] == []


@pytest.mark.parametrize("q", ["demo", "eastlight", "gift", "mug+demo", "mug+gift"])
def test_a_match_of_sku_brand_or_tag_alone_is_no_suggestion(
    q: str, make_product: Make, anyone: ApiClient
) -> None:
    make_product(name="Blue mug", sku="DEMO-1", brand="Eastlight", tags=["gift"])
    assert anyone.get(f"/products/suggest?q={q}")["items"] == []


def test_a_name_that_begins_so_is_suggested_however_many_others_hold_the_word(
    make_product: Make, anyone: ApiClient
) -> None:
    for _ in range(50):
        make_product(name="Aaa zebracorn")
    make_product(name="Zebracorn deluxe")
    assert anyone.get("/products/suggest?q=zebracorn")["items"] == [
        "Zebracorn deluxe", "Aaa zebracorn",
    ]  # fmt: skip


def test_a_name_whose_sku_is_what_was_typed_is_suggested(
    make_product: Make, anyone: ApiClient
) -> None:
    make_product(name="Lamp", sku="lamp")
    assert anyone.get("/products/suggest?q=lamp")["items"] == ["Lamp"]


def test_there_are_at_most_10_suggestions(make_product: Make, anyone: ApiClient) -> None:
    for number in range(12):
        make_product(name=f"Lamp {number:02}")
    assert anyone.get("/products/suggest?q=lamp")["items"] == [f"Lamp {n:02}" for n in range(10)]


@pytest.mark.parametrize("query", ["", "q=", "q=" + "x" * 201])
def test_a_suggestion_needs_a_beginning(query: str, anyone: ApiClient) -> None:
    assert anyone.get(f"/products/suggest?{query}").outcome == (400, "validation_error")
