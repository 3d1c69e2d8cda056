"""What people send to a search who want it slow, broken or talkative: exact answers, in no time."""

import gc
from collections.abc import Callable
from time import thread_time
from typing import Final
from urllib.parse import parse_qs, quote

import pytest

from catalog.documents import ProductRow
from tests.client import Answer, ApiClient, Person

PATHS: Final = ("/products/", "/products/facets", "/products/suggest")
INVALID: Final = (400, "validation_error")
SECONDS: Final = 0.5
"""Of processor, for one answer: what is refused is refused before the database is asked."""


@pytest.fixture(autouse=True)
def shelf(make_product: Callable[..., ProductRow]) -> None:
    for name in ("Lamp", "Lamp shade", "Mug"):
        make_product(name=name, brand="Eastlight", tags=["new"])


@pytest.fixture
def ask(anyone: ApiClient) -> Callable[[str], Answer]:
    """A GET that must not take long."""

    def get(address: str) -> Answer:
        gc.disable()  # a collection of what 3,000 tests left is not the answer's cost
        try:
            begun = thread_time()
            answer = anyone.get(address)
            assert thread_time() - begun < SECONDS
        finally:
            gc.enable()
        return answer

    return get


Ask = Callable[[str], Answer]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "term",
    ["a" * 10_240, "a+" * 5_120, "(a+)+$" * 1_700, "%EF%B7%BA" * 1_000, "%F0%9F%98%80" * 1_000],
)
def test_a_term_of_10_kilobytes_is_refused(path: str, term: str, ask: Ask) -> None:
    answer = ask(f"{path}?q={term}")
    assert answer.outcome == INVALID
    assert answer.pointers == ["/q"]


@pytest.mark.parametrize("path", ["/products/", "/products/suggest"])
@pytest.mark.parametrize(
    "term",
    [
        ".*", "^", "L.mp", "La[m]p", "(Lamp|Mug)", "(?i)zzz", "$where", "this.price>0", "\\x4c",
        "{$gt:''}", '{"$ne": null}', "' || '1'=='1", "%", "_", "*", "\u202e", "\ufffd", "status:",
    ],
)  # fmt: skip
def test_a_term_is_words_and_never_a_pattern_or_an_operator(path: str, term: str, ask: Ask) -> None:
    answer = ask(f"{path}?q={quote(term)}")
    assert answer.status == 200
    assert answer["items"] == []


@pytest.mark.parametrize("key", ["brand:Eastlight", "tag:new", "sku:x"])
def test_a_term_cannot_name_a_key_of_the_index(key: str, ask: Ask) -> None:
    assert ask(f"/products/?q={key}")["items"] == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["q", "brand", "category", "tag", "status", "ids", "price_minor"])
@pytest.mark.parametrize("operator", ["[$ne]", "[$gt]", "[$regex]", "[$where]", "[]", ".$ne"])
def test_an_operator_in_a_name_is_an_unknown_parameter(
    path: str, name: str, operator: str, ask: Ask
) -> None:
    answer = ask(f"{path}?q=a&{name}{operator}=x")
    assert answer.outcome == INVALID
    assert answer.pointers == [f"/{name}{operator}"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["$where", "$or", "__proto__", "keys", "_id", "hashed_password"])
def test_a_field_or_an_operator_is_no_parameter(path: str, name: str, ask: Ask) -> None:
    answer = ask(f"{path}?q=a&{name}=1")
    assert answer.outcome == INVALID
    assert answer.pointers == [f"/{name}"]


@pytest.mark.parametrize("path", ["/products/", "/categories/lamps/products"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("ordering", value) for value in ("cheapest", "$where", "_id", "-name", "price,name")),
        *(("ordering", value) for value in ("price_minor", "PRICE", "newest%00", "a" * 5_000)),
        *(("limit", value) for value in ("0", "-1", "101", "1000000", "9" * 400, "1e2", "0x10")),
        *(("limit", value) for value in ("1.5", "NaN", "Infinity", "true")),
        *(("fields", value) for value in ("keys", "_id", "name,", ",", "$where", "name.a")),
        *(("fields", value) for value in ("hashed_password", "name," * 5_000 + "x")),
    ],
)
def test_an_ordering_a_limit_or_a_field_that_is_not_offered_is_refused(
    path: str, name: str, value: str, ask: Ask, make_category: Callable[..., object]
) -> None:
    make_category("lamps")
    answer = ask(f"{path}?{name}={value}")
    assert answer.outcome == INVALID
    assert answer.pointers == [f"/{name}"]


@pytest.mark.parametrize(
    "cursor",
    [
        "x", ".", "...", "A" * 1_999, "A" * 2_001, "0", "null", "e30", "e30.e30", "$ne",
        "../../etc/passwd", "eyIkd2hlcmUiOiIxIn0=", "%F0%9F%98%80", "1,2", "{}", "%20x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("ordering", ["newest", "price", "relevance"])
def test_a_cursor_that_was_made_up_is_refused(cursor: str, ordering: str, ask: Ask) -> None:
    answer = ask(f"/products/?q=lamp&ordering={ordering}&cursor={cursor}")
    assert answer.outcome == INVALID
    assert answer.pointers == ["/cursor"]


def cursor_of(answer: Answer) -> str:
    return parse_qs(str(answer["next"]))["cursor"][0]


def test_a_cursor_of_another_list_or_ordering_is_refused(
    ask: Ask, sam: Person, lamp: ProductRow, make_category: Callable[..., object]
) -> None:
    for slug in ("a", "b"):
        make_category(slug)
        sam.api.post("/shopping-carts/", {})
        sam.api.post(f"/products/{lamp['_id']}/stock", {"delta": 1, "reason": "found"})
    lists = (
        "/products/?limit=1", "/products/?limit=1&ordering=price", "/products/?limit=1&q=lamp",
        "/products/?limit=1&ordering=-price", "/products/?limit=1&ordering=name",
        "/categories/?limit=1", "/categories/?limit=1&parent=", "/shopping-carts/?limit=1",
        f"/products/{lamp['_id']}/stock?limit=1",
    )  # fmt: skip
    cursors = {address: cursor_of(sam.api.get(address)) for address in lists}
    for address in lists:
        for owner, cursor in cursors.items():
            answer = sam.api.get(f"{address}&cursor={cursor}")
            assert answer.status == (200 if owner == address else 400), (owner, address)
            assert owner == address or answer.pointers == ["/cursor"]


def test_no_change_of_a_cursor_goes_unnoticed(ask: Ask) -> None:
    cursor = cursor_of(ask("/products/?limit=1&ordering=price"))
    for place in range(len(cursor)):
        other = "A" if cursor[place] != "A" else "B"
        answer = ask(
            f"/products/?ordering=price&cursor={cursor[:place]}{other}{cursor[place + 1 :]}"
        )
        assert answer.outcome == INVALID
        assert answer.pointers == ["/cursor"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("value", ["%00", "la%00mp", "%00lamp"])
def test_a_nul_is_refused(path: str, value: str, ask: Ask) -> None:
    answer = ask(f"{path}?q={value}")
    assert answer.outcome == (400, "nul_character")
    assert answer["detail"] == "Text must not hold NUL characters: see `/q`."


@pytest.mark.parametrize("name", ["brand", "tag", "category", "cursor"])
def test_a_nul_in_a_filter_or_a_cursor_is_refused(name: str, ask: Ask) -> None:
    assert ask(f"/products/?{name}=a%00b").outcome == (400, "nul_character")


@pytest.mark.parametrize(
    "value", ["%ED%A0%80", "%ED%B0%80%ED%A0%80", "%FF", "%C0%80", "%F4%90%80%80"]
)
def test_bytes_that_are_no_text_are_refused_as_in_a_body(value: str, ask: Ask) -> None:
    for name in ("q", "brand", "tag", "category", "cursor"):
        answer = ask(f"/products/?limit=2&{name}=a{value}")
        assert answer.outcome == (400, "invalid_utf8")
        assert answer["detail"] == f"A parameter is not UTF-8: see `/{name}`."


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("limit", ["1_0", "%D9%A3", "10.0", "1e1", "0x1", "%EF%BC%91", "--1", ""])
def test_a_number_is_written_in_digits(limit: str, path: str, ask: Ask) -> None:
    answer = ask(f"{path}?limit={limit}&q=a")
    assert (answer.outcome, answer.pointers) == (INVALID, ["/limit"])


@pytest.mark.parametrize("limit", ["1", "%2B1", "001", "%201%20"])
def test_a_number_may_have_a_sign(limit: str, ask: Ask) -> None:
    assert ask(f"/products/?limit={limit}").status == 200


@pytest.mark.parametrize("path", ["/products/", "/products/facets"])
@pytest.mark.parametrize("name", ["brand", "tag", "category", "ids"])
def test_a_filter_may_repeat_50_times_and_no_more(path: str, name: str, ask: Ask) -> None:
    value = "0" * 24 if name == "ids" else "x"
    assert ask(f"{path}?" + "&".join([f"{name}={value}"] * 50)).status == 200
    for times in (51, 1_000):
        answer = ask(f"{path}?" + "&".join([f"{name}={value}"] * times))
        assert answer.outcome == INVALID
        assert answer.pointers == [f"/{name}"]


@pytest.mark.parametrize("name", ["q", "limit", "cursor", "ordering", "min_price", "in_stock"])
def test_a_parameter_of_one_value_given_1000_times_is_refused(name: str, ask: Ask) -> None:
    answer = ask("/products/?" + "&".join([f"{name}=1"] * 1_000))
    assert answer.outcome == INVALID
    assert answer.pointers == [f"/{name}"]


def test_a_thousand_unknown_parameters_are_refused_one_by_one(ask: Ask) -> None:
    answer = ask("/products/?" + "&".join(f"x{n}=1" for n in range(1_000)))
    assert answer.outcome == INVALID
    assert len(answer.pointers) == 1_000


@pytest.mark.parametrize("path", PATHS)
def test_more_than_a_thousand_parameters_are_not_even_read(path: str, ask: Ask) -> None:
    assert ask(f"{path}?" + "&".join(["q=a"] * 1_001)).outcome == (400, "bad_request")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("min_price=1e3", "/min_price"),
        ("min_price=NaN", "/min_price"),
        ("max_price=Infinity", "/max_price"),
        ("max_price=" + "9" * 5_000, "/max_price"),
        ("max_price=92233720368547758.08", "/max_price"),
        ("min_price=%D9%A3", "/min_price"),
        ("in_stock=2", "/in_stock"),
        ("in_stock[$ne]=true", "/in_stock[$ne]"),
        ("ids=$ne", "/ids/0"),
        ("ids=" + "0" * 10_000, "/ids/0"),
    ],
)
@pytest.mark.parametrize("path", ["/products/", "/products/facets"])
def test_a_filter_of_another_kind_is_refused(path: str, query: str, pointer: str, ask: Ask) -> None:
    answer = ask(f"{path}?{query}")
    assert answer.outcome == INVALID
    assert set(answer.pointers) == {pointer}
