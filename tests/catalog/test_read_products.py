"""GET /products/ and GET /products/{id}: what shoppers and staff see."""

import base64
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import bson
import pytest

from catalog import selectors
from catalog.documents import ProductRow
from catalog.selectors import ProductFilter
from ecommerce.core import pagination
from ecommerce.core.json_output import as_text
from ecommerce.core.pagination import PageRequest
from tests.client import ApiClient, Person
from tests.operations import recorded


@pytest.mark.parametrize("slash", ["", "/"])
def test_anyone_reads_a_product(slash: str, lamp: ProductRow, anyone: ApiClient) -> None:
    answer = anyone.get(f"/products/{lamp['_id']}{slash}")
    assert answer.status == 200
    body = answer.json()
    stamps = body.pop("created_at"), body.pop("updated_at")
    assert all(stamp.endswith("+00:00") for stamp in stamps)
    assert body == {
        "id": str(lamp["_id"]), "name": "Lamp", "description": "", "price": 19.99,
        "compare_at_price": None, "currency": "USD", "quantity": 10, "sku": None, "slug": None,
        "brand": None, "category": None, "tags": [], "images": [], "attributes": {},
        "variants": [], "related_ids": [], "status": "active", "version": 1,
    }  # fmt: skip


@pytest.mark.parametrize("status", ["active", "draft", "archived", "deleted"])
@pytest.mark.parametrize("query", ["", "?fields=id,name"])
def test_who_sees_a_product_depends_on_its_status_whatever_is_asked_of_it(
    query: str, status: str, make_product: Callable[..., ProductRow], anyone: ApiClient, sam: Person
) -> None:
    path = f"/products/{make_product(name='Lamp', status=status)['_id']}{query}"

    assert anyone.get(path).status == (200 if status == "active" else 404)
    assert sam.api.get(path).status == (404 if status == "deleted" else 200)


def test_a_product_is_asked_for_by_its_id_alone_and_read_without_what_no_answer_shows(
    lamp: ProductRow,
) -> None:
    with recorded() as asked:
        row = selectors.product(str(lamp["_id"]), for_staff=False)

    assert [operation.filter for operation in asked] == [{"_id": lamp["_id"]}]
    assert set(lamp) - set(row) == {"keys"}


@pytest.mark.parametrize("kept", ["off", "full"])
def test_a_list_shows_a_product_as_it_is_read_alone_with_the_same_times(
    kept: str, lamp: ProductRow, anyone: ApiClient, sam: Person, settings: Any
) -> None:
    settings.RESPONSE_CACHE = kept
    path = f"/products/{lamp['_id']}"

    for api in (anyone, sam.api):
        assert api.get("/products/")["items"] == [api.get(path).json()]
    sparse = anyone.get("/products/?fields=updated_at")["items"]
    assert sparse == [{"updated_at": as_text(lamp["updated_at"])}]


def test_rows_of_a_page_have_their_times_without_zones_and_those_read_alone_with(
    lamp: ProductRow,
) -> None:
    page = selectors.product_page(ProductFilter(), ordering="newest", request=PageRequest())
    alone = selectors.product(str(lamp["_id"]), for_staff=False)

    assert [row["updated_at"] for row in page.rows] == [lamp["updated_at"].replace(tzinfo=None)]
    assert alone["updated_at"] == lamp["updated_at"]


@pytest.mark.parametrize("minor", [0, 1, 10, 1999, 4990, 9_999_999_999])
def test_the_price_on_the_wire_is_exact(
    minor: int, make_product: Callable[..., ProductRow], anyone: ApiClient
) -> None:
    product = make_product(price_minor=minor)
    text = anyone.get(f"/products/{product['_id']}").body.decode()

    assert json.loads(text, parse_float=Decimal)["price"] * 100 == minor


@pytest.mark.parametrize("bad", ["0" * 24, "nonsense", "0" * 23, "%00", "0" * 25])
def test_an_unknown_or_malformed_id_is_404(bad: str, anyone: ApiClient) -> None:
    assert anyone.get(f"/products/{bad}").outcome == (404, "product_not_found")


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_slug_reads_what_the_id_reads(
    slash: str, make_product: Callable[..., ProductRow], anyone: ApiClient
) -> None:
    product = make_product(slug="desk-lamp")
    by_id, by_slug = (
        anyone.get(f"/products/{name}{slash}?fields=id,slug,price")
        for name in (product["_id"], "desk-lamp")
    )
    assert (by_slug.status, by_slug.body) == (200, by_id.body)
    assert anyone.get("/products/desk-lamp").body == anyone.get(f"/products/{product['_id']}").body
    same = ("Cache-Control", "Vary", "Content-Type")
    assert [by_slug.headers[name] for name in same] == [by_id.headers[name] for name in same]
    assert by_id.headers["ETag"] == '"v1-id-price-slug"'
    assert by_slug.headers["ETag"] == f'"v1-{product["_id"]}-id-price-slug"'
    tag = f'"v1-{product["_id"]}"'
    again = anyone.get("/products/desk-lamp", If_None_Match=tag)
    assert (again.status, again.headers["ETag"]) == (304, tag)


@pytest.mark.parametrize("query", ["", "?fields=id,name"])
def test_a_slug_that_another_product_has_got_is_read_anew(
    query: str, make_product: Callable[..., ProductRow], anyone: ApiClient, sam: Person
) -> None:
    gone = make_product(name="Old lamp", slug="desk-lamp")
    tag = anyone.get(f"/products/desk-lamp{query}").headers["ETag"]
    assert sam.api.send("DELETE", f"/products/{gone['_id']}").status == 204
    body = {"name": "New lamp", "price": 1, "slug": "desk-lamp"}
    assert sam.api.post("/products/", body)["version"] == gone["version"]
    answer = anyone.get(f"/products/desk-lamp{query}", If_None_Match=tag)
    assert (answer.status, answer["name"]) == (200, "New lamp")


def test_the_tag_of_a_slug_is_one_that_a_change_by_the_id_takes(
    make_product: Callable[..., ProductRow], anyone: ApiClient, sam: Person
) -> None:
    path = f"/products/{make_product(slug='desk-lamp')['_id']}"
    tag = anyone.get("/products/desk-lamp").headers["ETag"]
    assert sam.api.patch(path, {"price": 5}, If_Match=tag).status == 200
    assert sam.api.patch(path, {"price": 6}, If_Match=tag).outcome == (412, "precondition_failed")


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_a_slug_of_what_is_not_for_sale_is_for_staff(
    status: str, make_product: Callable[..., ProductRow], anyone: ApiClient, sam: Person
) -> None:
    product = make_product(slug="desk-lamp", status=status)
    assert anyone.get("/products/desk-lamp").outcome == (404, "product_not_found")
    assert sam.api.get("/products/desk-lamp")["id"] == str(product["_id"])


def test_the_slug_of_a_deleted_product_is_404(
    make_product: Callable[..., ProductRow], anyone: ApiClient, sam: Person
) -> None:
    product = make_product(slug="desk-lamp")
    assert sam.api.send("DELETE", f"/products/{product['_id']}").status == 204
    for api in (anyone, sam.api):
        assert api.get("/products/desk-lamp").outcome == (404, "product_not_found")


def test_what_has_the_form_of_an_id_is_one(
    make_product: Callable[..., ProductRow], anyone: ApiClient
) -> None:
    other = make_product(name="Mug")
    make_product(name="Lamp", slug=str(other["_id"]))
    assert anyone.get(f"/products/{other['_id']}")["name"] == "Mug"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_product_is_changed_by_its_id_alone(
    method: str, make_product: Callable[..., ProductRow], sam: Person, anyone: ApiClient
) -> None:
    make_product(slug="desk-lamp")
    body = {"PUT": {"name": "A", "price": 1}, "PATCH": {"price": 1}}.get(method)
    answer = sam.api.send(method, "/products/desk-lamp", body)
    assert answer.outcome == (404, "product_not_found")
    assert anyone.get("/products/desk-lamp")["version"] == 1


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_customers_see_active_products_only(
    status: str,
    make_product: Callable[..., ProductRow],
    alice: Person,
    sam: Person,
    anyone: ApiClient,
) -> None:
    product = make_product(status=status)
    for api in (anyone, alice.api):
        assert api.get(f"/products/{product['_id']}").outcome == (404, "product_not_found")
        assert api.get("/products/")["items"] == []
    assert sam.api.get(f"/products/{product['_id']}")["status"] == status
    assert len(sam.api.get("/products/")["items"]) == 1


def test_the_etag_gives_304_until_the_product_changes(
    lamp: ProductRow, sam: Person, anyone: ApiClient
) -> None:
    path = f"/products/{lamp['_id']}"
    tag = anyone.get(path).headers["ETag"]
    assert tag == '"v1"'
    again = anyone.get(path, If_None_Match=f'"other", W/{tag}')
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    sam.api.patch(path, {"price": 5})
    fresh = anyone.get(path, If_None_Match=tag)
    assert (fresh.status, fresh["price"], fresh.headers["ETag"]) == (200, 5, '"v2"')


def test_head_answers_like_get_without_a_body(lamp: ProductRow, anyone: ApiClient) -> None:
    answer = anyone.send("HEAD", f"/products/{lamp['_id']}")
    assert (answer.status, answer.body, answer.headers["ETag"]) == (200, b"", '"v1"')


def walk(api: ApiClient, url: str, link: str = "next") -> list[list[str]]:
    """The names of each page, following `link`."""
    pages, target = [], url
    while target:
        answer = api.get(target.removeprefix("http://testserver"))
        pages.append([product["name"] for product in answer["items"]])
        target = answer[link]
    return pages


def test_pages_hold_every_product_once_newest_first(
    make_product: Callable[..., ProductRow], anyone: ApiClient
) -> None:
    for number in range(7):
        make_product(name=str(number))
    assert walk(anyone, "/products/?limit=3") == [["6", "5", "4"], ["3", "2", "1"], ["0"]]


def test_previous_leads_back_to_the_first_page(
    make_product: Callable[..., ProductRow], anyone: ApiClient
) -> None:
    for number in range(7):
        make_product(name=str(number))
    first = anyone.get("/products/?limit=3")
    second = anyone.get(first["next"])
    assert first["previous"] is None
    back = anyone.get(second["previous"])
    assert [product["name"] for product in back["items"]] == ["6", "5", "4"]
    assert back["previous"] is None


def test_a_product_added_while_paging_neither_repeats_nor_skips(
    make_product: Callable[..., ProductRow], anyone: ApiClient
) -> None:
    for number in range(4):
        make_product(name=str(number))
    first = anyone.get("/products/?limit=2")
    make_product(name="new")
    second = anyone.get(first["next"])
    assert [product["name"] for product in second["items"]] == ["1", "0"]


def test_links_stand_in_the_header_too(
    make_product: Callable[..., ProductRow], anyone: ApiClient
) -> None:
    for _ in range(3):
        make_product()
    answer = anyone.get("/products/?limit=1")
    assert answer.headers["Link"] == f'<{answer["next"]}>; rel="next"'
    middle = anyone.get(answer["next"])
    assert f'<{middle["previous"]}>; rel="prev"' in middle.headers["Link"]


def test_the_total_comes_on_request_only(lamp: ProductRow, anyone: ApiClient) -> None:
    assert anyone.get("/products/").json().keys() == {"items", "next", "previous"}
    answer = anyone.get("/products/?count=true")
    assert (answer["count"], answer["count_is_exact"]) == (1, True)


@pytest.mark.parametrize("query", ["", "q=lamp&"])
def test_a_total_stops_at_its_bound_and_says_so(
    query: str,
    make_product: Callable[..., ProductRow],
    anyone: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert pagination.MAX_COUNT == 10_000
    monkeypatch.setattr(pagination, "MAX_COUNT", 5)
    for name in ("Lamp", "Lamp oil", "Old lamp", "Tall lamp"):
        make_product(name=name)
    path = f"/products/?{query}limit=1&count=true"
    below = anyone.get(path)
    assert (below["count"], below["count_is_exact"]) == (4, True)
    for _ in range(3):
        make_product(name="New lamp")
    above = anyone.get(path)
    assert (above["count"], above["count_is_exact"]) == (5, False)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("limit=1000000", "/limit"),
        ("limit=abc", "/limit"),
        ("limit=1&limit=2", "/limit"),
        ("cursor=nonsense", "/cursor"),
        ("cursor=%00", "/cursor"),
        ("count=perhaps", "/count"),
        ("limmit=3", "/limmit"),
        ("price[$gt]=3", "/price[$gt]"),
        ("format=json", "/format"),
    ],
)
def test_a_query_that_is_not_understood_is_400(query: str, pointer: str, anyone: ApiClient) -> None:
    answer = anyone.get(f"/products/?{query}")
    assert answer.outcome[0] == 400
    if answer["code"] == "validation_error":
        assert answer.pointers == [pointer]


@pytest.fixture
def cursor(make_product: Callable[..., ProductRow], anyone: ApiClient) -> str:
    """A cursor of the list of products, newest first."""
    for _ in range(3):
        make_product()
    return parse_qs(str(anyone.get("/products/?limit=1")["next"]))["cursor"][0]


@pytest.mark.parametrize(
    "query", ["ordering=price", "ordering=-price", "ordering=name", "ordering=relevance", "q=lamp"]
)
def test_a_cursor_belongs_to_its_ordering(query: str, cursor: str, anyone: ApiClient) -> None:
    assert anyone.get(f"/products/?limit=1&cursor={cursor}").status == 200
    answer = anyone.get(f"/products/?{query}&cursor={cursor}")
    assert answer.outcome == (400, "validation_error")
    assert answer.pointers == ["/cursor"]


def test_a_cursor_belongs_to_its_list(cursor: str, sam: Person) -> None:
    for path in ("/categories/", "/users/", "/shopping-carts/"):
        answer = sam.api.get(f"{path}?cursor={cursor}")
        assert answer.outcome == (400, "validation_error")
        assert answer.pointers == ["/cursor"]


def test_a_cursor_that_was_changed_is_refused(cursor: str, anyone: ApiClient) -> None:
    content, _, signature = cursor.partition(".")
    own = base64.urlsafe_b64encode(bson.encode({"t": 0, "v": [{"$gt": ""}], "b": False}))
    flipped = "B" if cursor[20] != "B" else "C"
    for changed in (
        content,
        signature,
        f"{own.decode().rstrip('=')}.{signature}",
        f"{cursor[:20]}{flipped}{cursor[21:]}",
        f"{cursor}A",
        f"{content}.",
    ):
        answer = anyone.get(f"/products/?cursor={changed}")
        assert answer.outcome == (400, "validation_error")
        assert answer.pointers == ["/cursor"]


@pytest.mark.parametrize("ordering", ["newest", "price", "name"])
def test_a_page_that_was_emptied_leads_back_the_way_one_came(
    ordering: str, make_product: Callable[..., ProductRow], sam: Person, anyone: ApiClient
) -> None:
    made = [make_product(name=name, price_minor=100) for name in "ABC"]
    query = f"limit=2&ordering={ordering}"
    first = anyone.get(f"/products/?{query}")
    last = made[0 if ordering == "newest" else 2]
    assert sam.api.delete(f"/products/{last['_id']}").status == 204
    emptied = anyone.get(first["next"])
    assert (emptied["items"], emptied["next"]) == ([], None)
    assert anyone.get(emptied["previous"])["items"] == first["items"]


def test_a_first_page_that_was_emptied_leads_on_again(
    make_product: Callable[..., ProductRow], sam: Person, anyone: ApiClient
) -> None:
    made = [make_product(name=name) for name in "ABC"]
    second = anyone.get(anyone.get("/products/?limit=1&ordering=name")["next"])
    assert sam.api.delete(f"/products/{made[0]['_id']}").status == 204
    emptied = anyone.get(second["previous"])
    assert (emptied["items"], emptied["previous"]) == ([], None)
    assert anyone.get(emptied["next"])["items"] == second["items"]


@pytest.mark.parametrize("letter", ["x", "\u00df", "\ufdfa", "\U0001d5ff", "\U0001f600"])
def test_pages_by_name_go_on_however_long_folding_makes_a_name(
    letter: str, make_product: Callable[..., ProductRow], anyone: ApiClient
) -> None:
    for _ in range(3):
        make_product(name=letter * 200)
    pages = walk(anyone, "/products/?limit=1&ordering=name")
    assert pages == [[letter * 200]] * 3
