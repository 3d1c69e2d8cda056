"""POST /products/; PUT, PATCH and DELETE /products/{id}: staff only."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from catalog.documents import CategoryRow, Product, ProductRow
from ecommerce.core.mongo import collection
from tests.client import ApiClient, Person

LAMP = {"name": "Desk lamp", "description": "Warm.", "price": 49.9, "quantity": 12}


@pytest.mark.parametrize("path", ["/products/", "/products"])
def test_staff_adds_a_product_as_the_api_document_describes_it(path: str, sam: Person) -> None:
    answer = sam.api.post(path, LAMP)
    assert answer.status == 201
    assert answer.json().items() >= LAMP.items()
    assert answer.headers["Location"] == f"http://testserver/products/{answer['id']}"
    assert answer.headers["ETag"] == '"v1"'
    assert sam.api.get(f"/products/{answer['id']}").json() == answer.json()
    stored = collection(Product).find_one({})
    assert stored is not None
    assert (stored["price_minor"], stored["currency"]) == (4990, "USD")


def test_every_field_is_kept(sam: Person, make_category: Callable[..., CategoryRow]) -> None:
    make_category("lighting")
    full = LAMP | {
        "currency": "USD", "sku": "LAMP-1", "slug": "desk-lamp", "brand": "Eastlight",
        "category": "lighting", "tags": ["new", "gift"], "status": "draft",
        "images": [{"url": "https://img.example/1.webp", "alt": "Front"}],
        "compare_at_price": 59.9, "attributes": {"watts": 7.5, "dimmable": True, "bulb": "E27"},
        "related_ids": ["0" * 24],
    }  # fmt: skip
    answer = sam.api.post("/products/", full)
    assert answer.json().items() >= full.items()


@pytest.mark.parametrize(
    ("price", "minor"),
    [(0, 0), (5, 500), (19.99, 1999), ("19.99", 1999), ("0.1", 10), (99999999.99, 9999999999)],
)
def test_a_price_is_a_number_or_decimal_text(price: Any, minor: int, sam: Person) -> None:
    assert sam.api.post("/products/", LAMP | {"price": price}).status == 201
    stored = collection(Product).find_one({})
    assert stored is not None
    assert stored["price_minor"] == minor


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"price": -1}, "/price"),
        ({"price": 1.999}, "/price"),
        ({"price": "1.999"}, "/price"),
        ({"price": 100_000_000}, "/price"),
        ({"price": "1e3"}, "/price"),
        ({"price": "NaN"}, "/price"),
        ({"price": "Infinity"}, "/price"),
        ({"price": ""}, "/price"),
        ({"price": True}, "/price"),
        ({"price": None}, "/price"),
        ({"price": [1]}, "/price"),
        ({"quantity": -1}, "/quantity"),
        ({"quantity": 1.5}, "/quantity"),
        ({"quantity": "3"}, "/quantity"),
        ({"quantity": True}, "/quantity"),
        ({"quantity": 1_000_000_001}, "/quantity"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": 5}, "/name"),
        ({"currency": "EUR"}, "/currency"),
        ({"status": "deleted"}, "/status"),
        ({"tags": "new"}, "/tags"),
        ({"tags": [1]}, "/tags/0"),
        ({"images": [{"url": "javascript:alert(1)"}]}, "/images/0/url"),
        ({"images": [{"url": "https://x.example/a", "size": 3}]}, "/images/0/size"),
        ({"slug": "Not A Slug"}, "/slug"),
        ({"price_minor": 5}, "/price_minor"),
        ({"version": 5}, "/version"),
        ({"$set": {"price_minor": 0}}, "/$set"),
        ({"a/b~c": 1}, "/a~1b~0c"),
    ],
)
def test_bad_input_names_the_field_and_stores_nothing(
    changes: dict[str, Any], pointer: str, sam: Person
) -> None:
    answer = sam.api.post("/products/", LAMP | changes)
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), [pointer])
    assert collection(Product).count_documents({}) == 0


def test_name_and_price_are_required_and_both_are_named(sam: Person) -> None:
    assert sorted(sam.api.post("/products/", {}).pointers) == ["/name", "/price"]


@pytest.mark.parametrize("body", [None, [], "text", 5])
def test_a_body_that_is_no_object_is_400(body: Any, sam: Person) -> None:
    assert sam.api.post("/products/", body).outcome[0] in {400, 415}


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_customers_and_strangers_change_nothing(
    method: str, lamp: ProductRow, alice: Person, anyone: ApiClient
) -> None:
    path = "/products/" if method == "post" else f"/products/{lamp['_id']}"
    arguments = [] if method == "delete" else [LAMP]
    assert getattr(anyone, method)(path, *arguments).outcome == (401, "not_authenticated")
    assert getattr(alice.api, method)(path, *arguments).outcome == (403, "permission_denied")
    assert list(collection(Product).find({})) == [lamp]


@pytest.mark.parametrize("field", ["sku", "slug"])
def test_a_taken_sku_or_slug_is_409(field: str, sam: Person) -> None:
    assert sam.api.post("/products/", LAMP | {field: "lamp-1"}).status == 201
    answer = sam.api.post("/products/", LAMP | {field: "lamp-1"})
    assert (answer.outcome, answer.pointers) == ((409, "duplicate_product"), [f"/{field}"])
    other = sam.api.post("/products/", LAMP)
    changed = sam.api.patch(f"/products/{other['id']}", {field: "lamp-1"})
    assert (changed.outcome, changed.pointers) == ((409, "duplicate_product"), [f"/{field}"])


def test_of_parallel_adds_with_one_sku_one_wins(sam: Person) -> None:
    def add(_: int) -> int:
        return ApiClient(sam.api.token).post("/products/", LAMP | {"sku": "L1"}).status

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(add, range(16))) == [201] + [409] * 15


def test_products_without_sku_do_not_clash(sam: Person) -> None:
    assert [sam.api.post("/products/", LAMP).status for _ in range(3)] == [201] * 3


def test_put_replaces_and_gives_absent_fields_their_defaults(
    make_product: Callable[..., ProductRow], sam: Person
) -> None:
    product = make_product(sku="L1", brand="Eastlight", tags=["new"])
    answer = sam.api.put(f"/products/{product['_id']}", LAMP)
    assert answer.status == 200
    assert answer.json().items() >= LAMP.items()
    assert (answer["sku"], answer["brand"], answer["tags"]) == (None, None, [])
    assert (answer["version"], answer.headers["ETag"]) == (2, '"v2"')
    assert sam.api.post("/products/", LAMP | {"sku": "L1"}).status == 201, "the sku is free again"


def test_put_needs_name_and_price(lamp: ProductRow, sam: Person) -> None:
    answer = sam.api.put(f"/products/{lamp['_id']}", {"quantity": 3})
    assert sorted(answer.pointers) == ["/name", "/price"]


def test_patch_changes_only_what_is_sent(
    make_product: Callable[..., ProductRow], sam: Person
) -> None:
    product = make_product(sku="L1", brand="Eastlight")
    answer = sam.api.patch(f"/products/{product['_id']}", {"price": "5.00", "brand": None})
    assert (answer["price"], answer["brand"], answer["sku"]) == (5, None, "L1")
    assert answer["name"] == "Lamp"


def test_an_empty_patch_changes_nothing_and_keeps_the_version(
    lamp: ProductRow, sam: Person
) -> None:
    path = f"/products/{lamp['_id']}"
    for match in ({}, {"If_Match": '"v1"'}):
        answer = sam.api.patch(path, {}, **match)
        assert (answer.status, answer.headers["ETag"]) == (200, '"v1"')
        assert answer.json() == sam.api.get(path).json()
    assert sam.api.patch(path, {}, If_Match='"v2"').outcome == (412, "precondition_failed")
    assert sam.api.patch(f"/products/{'0' * 24}", {}).outcome == (404, "product_not_found")
    assert list(collection(Product).find({})) == [lamp]


def test_what_is_nested_in_a_patch_is_whole_or_wrong(lamp: ProductRow, sam: Person) -> None:
    answer = sam.api.patch(f"/products/{lamp['_id']}", {"images": [{"alt": "no address"}]})
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), ["/images/0/url"])


def test_two_writers_with_one_etag_give_one_200_and_one_412(lamp: ProductRow, sam: Person) -> None:
    def write(quantity: int) -> tuple[int, str]:
        api = ApiClient(sam.api.token)
        path = f"/products/{lamp['_id']}"
        return api.patch(path, {"quantity": quantity}, If_Match='"v1"').outcome

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(write, range(8)))
    assert outcomes == [(200, "")] + [(412, "precondition_failed")] * 7
    assert sam.api.get(f"/products/{lamp['_id']}")["version"] == 2


@pytest.mark.parametrize(
    "tag",
    ['"v2"', 'W/"v1"', '"nonsense"', "nonsense", '"v1x"', "", " ", '"', ",", '*, "v1"', '"v1", *',
     '"v1" "v1"', '"v1"x', "**"],
)  # fmt: skip
def test_an_if_match_that_does_not_match_is_412_and_changes_nothing(
    tag: str, lamp: ProductRow, sam: Person
) -> None:
    answer = sam.api.put(f"/products/{lamp['_id']}", LAMP, If_Match=tag)
    assert answer.outcome == (412, "precondition_failed")
    assert list(collection(Product).find({})) == [lamp]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("If_Unmodified_Since", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("If_None_Match", "*"),
        ("If_None_Match", '"v1"'),
    ],
)
def test_a_condition_that_no_write_looks_at_is_400_and_changes_nothing(
    name: str, value: str, method: str, lamp: ProductRow, sam: Person
) -> None:
    """Passed over, it would let through what the client wanted to be refused."""
    body = None if method == "DELETE" else LAMP
    path = f"/products/{lamp['_id']}"
    answer = sam.api.send(method, path, body, headers={name: value})
    assert answer.outcome == (400, "unsupported_condition")
    assert answer["detail"] == (
        f"A write looks at no `{name.replace('_', '-')}`: leave it out, or name in `If-Match` the "
        "ETag that you have read."
    )
    assert list(collection(Product).find({})) == [lamp]


@pytest.mark.parametrize(("method", "path"), [("TRACE", "/products/facets"), ("PUT", "/products/")])
def test_a_method_that_is_not_there_is_405_whatever_its_condition(
    method: str, path: str, sam: Person
) -> None:
    answer = sam.api.send(method, path, headers={"If_None_Match": "*"})
    assert answer.outcome == (405, "method_not_allowed")


def test_a_read_that_names_a_date_it_must_not_have_changed_since_is_answered(
    lamp: ProductRow, anyone: ApiClient
) -> None:
    """It is of no use there (RFC 9110 section 13.1.4), and harms nothing."""
    past = "Thu, 01 Jan 1970 00:00:00 GMT"
    assert anyone.get(f"/products/{lamp['_id']}", If_Unmodified_Since=past).status == 200


def test_an_if_match_that_is_no_list_of_tags_is_told_how_to_write_one(
    lamp: ProductRow, sam: Person
) -> None:
    answer = sam.api.delete(f"/products/{lamp['_id']}", If_Match="v1")
    assert answer["detail"] == (
        "`If-Match` is no list of ETags: send one as you got it, with its quotes, such as "
        '`"v3"`, or `*`, or leave the header out.'
    )


@pytest.mark.parametrize(
    "tag", ['"v1"', "*", " * ", '"v9", "v1"', '"v9","v1"', ', "v1" ,', '"v1-0123456789abcdef"']
)
def test_an_if_match_that_matches_lets_the_write_through(
    tag: str, lamp: ProductRow, sam: Person
) -> None:
    assert sam.api.patch(f"/products/{lamp['_id']}", {"quantity": 3}, If_Match=tag).status == 200


def test_a_deleted_product_is_gone_and_its_sku_is_free(
    make_product: Callable[..., ProductRow], sam: Person
) -> None:
    product = make_product(sku="L1", slug="lamp")
    path = f"/products/{product['_id']}"
    assert sam.api.delete(path, If_Match='"v9"').status == 412
    assert sam.api.delete(path).status == 204
    assert sam.api.get(path).outcome == (404, "product_not_found")
    assert sam.api.delete(path).outcome == (404, "product_not_found")
    assert sam.api.patch(path, {"price": 1}).outcome == (404, "product_not_found")
    assert sam.api.get("/products/")["items"] == []
    assert sam.api.post("/products/", LAMP | {"sku": "L1", "slug": "lamp"}).status == 201


@pytest.mark.parametrize("bad", ["0" * 24, "nonsense"])
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_an_unknown_id_is_404(method: str, bad: str, sam: Person) -> None:
    arguments = [] if method == "delete" else [LAMP]
    answer = getattr(sam.api, method)(f"/products/{bad}", *arguments)
    assert answer.outcome == (404, "product_not_found")
