"""How often each request may ask the database. A call that is signed in also reads its user."""

from collections.abc import Callable

import pytest

from catalog.documents import ProductRow
from tests.client import PASSWORD, Answer, ApiClient, Person
from tests.operations import recorded

IDENTITY = "users.find"


def asked(call: Callable[[], Answer], *, status: int = 200) -> list[str]:
    with recorded() as seen:
        answer = call()
    assert answer.status == status
    return [f"{operation.collection}.{operation.kind}" for operation in seen]


def test_a_product_takes_one_read(anyone: ApiClient, lamp: ProductRow) -> None:
    assert asked(lambda: anyone.get(f"/products/{lamp['_id']}")) == ["products.find"]


def test_a_page_of_products_takes_one_read(
    anyone: ApiClient, make_product: Callable[..., ProductRow]
) -> None:
    for number in range(5):
        make_product(name=f"Lamp {number}")
    assert asked(lambda: anyone.get("/products/?limit=3")) == ["products.find"]


def test_signing_in_takes_a_read_and_a_write(anyone: ApiClient, alice: Person) -> None:
    assert asked(lambda: anyone.form("/token", username="alice", password=PASSWORD)) == [
        "users.find",
        "refresh_families.insert",
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "", None, 200),
        ("PUT", "", {"items": []}, 200),
        ("DELETE", "", None, 204),
        ("POST", "/items", {"quantity": 1}, 200),
        ("PUT", "/items/{product}", {"quantity": 3}, 200),
        ("DELETE", "/items/{product}", None, 200),
        ("DELETE", "/clear", None, 200),
    ],
)
def test_a_cart_call_takes_at_most_three_operations_beside_the_identity(
    method: str, path: str, body: dict[str, object] | None, status: int,
    alice: Person, lamp: ProductRow,
) -> None:  # fmt: skip
    product = str(lamp["_id"])
    items = {"items": [{"product_id": product, "quantity": 2}]}
    cart = alice.api.post("/shopping-carts/", items)["id"]
    if path == "/items":
        body = {**(body or {}), "product_id": product}
    address = f"/shopping-carts/{cart}{path.format(product=product)}"
    seen = asked(lambda: alice.api.send(method, address, body), status=status)
    assert seen[0] == IDENTITY
    assert len(seen[1:]) <= 3


def test_a_page_of_carts_takes_two_reads_whatever_its_size(alice: Person, lamp: ProductRow) -> None:
    items = {"items": [{"product_id": str(lamp["_id"]), "quantity": 1}]}
    for _ in range(7):
        alice.api.post("/shopping-carts/", items)
    assert asked(lambda: alice.api.get("/shopping-carts/")) == [
        IDENTITY, "shopping_carts.find", "products.find",
    ]  # fmt: skip


def test_a_new_cart_with_items_takes_two_operations(alice: Person, lamp: ProductRow) -> None:
    items = {"items": [{"product_id": str(lamp["_id"]), "quantity": 1}]}
    seen = asked(lambda: alice.api.post("/shopping-carts/", items), status=201)
    assert seen[0] == IDENTITY
    assert len(seen[1:]) == 2


def test_probes_and_documents_ask_nothing(anyone: ApiClient) -> None:
    assert asked(lambda: anyone.get("/livez")) == []
    assert asked(lambda: anyone.get("/openapi.json")) == []
