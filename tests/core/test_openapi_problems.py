"""The problems that the OpenAPI document names, beside those that are answered."""

import re
from typing import Any

from catalog.documents import ProductRow
from tests.client import ApiClient, Person
from tests.core.api_document import codes, operations


def test_every_operation_names_the_refusals_that_any_request_may_get(document: Any) -> None:
    for path, method, operation in operations(document):
        if path.startswith("/token"):
            assert {"400", "406", "415"} <= operation["responses"].keys(), (path, method)
        else:
            assert "validation_error" in codes(operation, "400"), (path, method)
            assert codes(operation, "406") == {"not_acceptable"}, (path, method)
        if method in {"post", "put", "patch"}:
            assert codes(operation, "411") == {"length_required"}, (path, method)
            assert codes(operation, "413") == {"body_too_large"}, (path, method)
            assert "unsupported_content_encoding" in codes(operation, "415"), (path, method)


def test_what_a_body_of_json_is_refused_for_stands_in_every_operation_that_reads_one(
    document: Any,
) -> None:
    refusals = {
        "malformed_json", "duplicate_key", "too_deep", "invalid_utf8", "invalid_unicode",
        "nul_character", "integer_out_of_range", "incomplete_body",
    }  # fmt: skip
    for path, method, operation in operations(document):
        if path.startswith("/token"):
            continue
        found = codes(operation, "400")
        assert {"nul_character", "invalid_utf8"} <= found, (path, method)
        if path == "/products/imports" and method == "post":
            assert "incomplete_body" in found
            assert "malformed_json" not in found, "a file is judged row by row"
        elif method in {"post", "put", "patch"}:
            assert refusals <= found, (path, method)
        else:
            assert found.isdisjoint(refusals - {"nul_character", "invalid_utf8"}), (path, method)


def members(document: Any, operation: Any, status: str) -> set[str]:
    """The members that a problem of this status may have."""
    reference = operation["responses"][status]["content"]["application/problem+json"]["schema"]
    shape = document["components"]["schemas"][reference["$ref"].rsplit("/", 1)[1]]
    return set(shape["properties"])


def test_examples_of_problems_have_the_titles_and_members_of_real_ones(
    document: Any, lamp: ProductRow, alice: Person, sam: Person, anyone: ApiClient
) -> None:
    anyones = anyone.post("/shopping-carts/", {"items": []})
    guests, secret = f"/shopping-carts/{anyones['id']}", {"X_Cart_Token": anyones["cart_token"]}
    cart = f"/shopping-carts/{alice.api.post('/shopping-carts/', {'items': []})['id']}"
    alice.api.post(f"{guests}/merge", {"into": cart.split("/")[2]}, **secret)
    too_many = {"product_id": str(lamp["_id"]), "quantity": 11}
    product, of_cart = "/products/{id}", "/shopping-carts/{id}"
    real = [
        (product, "get", anyone.get("/products/nothing")),
        (product, "patch", anyone.patch(f"/products/{lamp['_id']}", {})),
        (product, "patch", anyone.patch(f"/products/{lamp['_id']}", {}, Authorization="Bearer x")),
        (product, "patch", alice.api.patch(f"/products/{lamp['_id']}", {})),
        (product, "patch", sam.api.patch(f"/products/{lamp['_id']}", {"name": 1})),
        (product, "patch", sam.api.send("PATCH", f"/products/{lamp['_id']}", raw=b"{")),
        (product, "patch", sam.api.patch(f"/products/{lamp['_id']}", {}, If_Match='"v9"')),
        ("/products/", "get", anyone.get("/products/", Accept="image/png")),
        (of_cart, "delete", alice.api.delete(cart, If_Match='"v9"')),
        (of_cart, "delete", alice.api.delete(guests, **secret)),
        (f"{of_cart}/items", "post", alice.api.post(f"{cart}/items", too_many)),
        ("/products/{id}/stock", "post", sam.api.post(
            f"/products/{lamp['_id']}/stock", {"delta": -99, "reason": "broken"})),
    ]  # fmt: skip
    for path, method, answer in real:
        operation, problem = document["paths"][path][method], answer.json()
        status = str(answer.status)
        content = operation["responses"][status]["content"]["application/problem+json"]
        shown = {one["value"]["code"]: one["value"] for one in content["examples"].values()}
        example = shown[problem["code"]]
        assert example["title"] == problem["title"], (path, method, status)
        assert problem.keys() <= members(document, operation, status), problem["code"]
        assert example.keys() <= members(document, operation, status), problem["code"]
    assert real[-4][2]["cart"]["version"] == 2
    assert real[-3][2]["merged_into"] == cart.split("/")[2]


def test_each_write_may_refuse_a_condition_that_it_does_not_know(document: Any) -> None:
    for path, method, operation in operations(document):
        if not path.startswith("/token"):
            refuses = "unsupported_condition" in codes(operation, "400")
            assert refuses is (method != "get"), (path, method)


def test_a_description_names_each_code_once(document: Any) -> None:
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            named = re.findall("`[a-z_0-9]+`", answer["description"])
            assert len(named) == len(set(named)), (path, method, status)


def test_what_is_tried_again_while_a_cart_moves_says_that_it_may_be_in_vain(
    document: Any,
) -> None:
    cart, saved = "/shopping-carts/{id}", "saved-items/{product_id}"
    for path, method in (
        ("/shopping-carts/", "post"),
        (cart, "put"),
        (cart, "patch"),
        (f"{cart}/items", "post"),
        (f"{cart}/items/{{product_id}}/save", "post"),
        (f"{cart}/{saved}/restore", "post"),
        (f"{cart}/refresh-prices", "post"),
        (f"{cart}/merge", "post"),
    ):
        assert "cart_busy" in codes(document["paths"][path][method], "409"), (path, method)


def test_a_cart_that_is_started_may_be_gone_when_that_is_tried_again(document: Any) -> None:
    operation = document["paths"]["/shopping-carts/"]["post"]
    assert codes(operation, "404") == {"cart_not_found", "product_not_found", "user_not_found"}


def test_a_refusal_for_want_of_stock_shows_how_many_are_left(document: Any) -> None:
    paths, shown = document["paths"], "InsufficientStock"
    for path, method, members in (
        ("/shopping-carts/", "post", {"product_id", "sku", "available_quantity", "in_cart"}),
        ("/shopping-carts/{id}/items", "post", {"available_quantity", "in_cart"}),
        ("/shopping-carts/{id}", "put", {"available_quantity"}),
        ("/shopping-carts/{id}/items/{product_id}", "put", {"available_quantity"}),
        ("/shopping-carts/{id}/saved-items/{product_id}/restore", "post", {"available_quantity"}),
        ("/products/{id}/stock", "post", {"available_quantity"}),
    ):
        content = paths[path][method]["responses"]["409"]["content"]["application/problem+json"]
        example = content["examples"][shown]["value"]
        assert members <= example.keys(), (path, method)
        if method == "put":
            assert "in_cart" not in example, "it is set, not added to what is there"


def test_what_makes_a_hash_may_have_no_room_for_it(document: Any) -> None:
    """And everything may find the database away."""
    hashing = {
        ("/users/", "post"), ("/users/{id}", "put"), ("/users/{id}", "patch"),
        ("/users/me/password", "post"), ("/password-reset/confirm", "post"),
    }  # fmt: skip
    found = {
        (path, method) for path, method, o in operations(document) if "busy" in codes(o, "503")
    }
    assert found == hashing
    for path, method, operation in operations(document):
        away = "store_unavailable" in codes(operation, "503")
        assert away or path.startswith("/token"), (path, method)


def test_an_error_of_oauth_stays_one_where_problems_are_added(document: Any) -> None:
    for path in ("/token", "/token/revoke"):
        refusal = document["paths"][path]["post"]["responses"]["415"]
        assert list(refusal["content"]) == ["application/json", "application/problem+json"]


def test_whatever_reads_a_token_or_a_key_may_refuse_it(document: Any) -> None:
    secured = [one for one in operations(document) if one[2].get("security")]
    silent = [
        (path, method)
        for path, method, operation in secured
        if not {"invalid_token", "invalid_api_key"} <= codes(operation, "401")
    ]
    assert len(secured) > 40
    assert silent == []


def test_each_write_of_a_cart_may_find_it_busy(document: Any) -> None:
    writes = [
        (path, method, operation)
        for path, method, operation in operations(document)
        if path.startswith("/shopping-carts/") and method != "get"
    ]
    silent = [
        f"{method} {path}"
        for path, method, operation in writes
        if "`cart_busy`" not in operation["responses"]["409"]["description"]
    ]
    assert len(writes) == 14
    assert silent == []
