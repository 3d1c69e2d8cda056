"""How often hot paths ask Redis, and the database meanwhile, with limits and caches as deployed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.handlers.wsgi import WSGIHandler

from catalog.documents import ProductRow
from catalog.services import ProductService
from ecommerce.core import conditional
from ecommerce.core.background import wait_until_idle
from ecommerce.core.public_reads import PublicReads
from tests.client import ApiClient, Person
from tests.core.wsgi_calls import Calls
from tests.operations import recorded, redis_calls

pytestmark = [
    pytest.mark.redis,
    pytest.mark.skipif(not configured.REDIS_URL, reason="REDIS_URL is not set: make guard does"),
]
LIMIT = "EVALSHA"
"""One call of a script counts a request against every limit on it."""
IDENTITY = "users.find"


@pytest.fixture(autouse=True)
def _as_deployed(
    limits_on: None, settings: Any, monkeypatch: pytest.MonkeyPatch, anyone: ApiClient
) -> None:
    """What was just made has its last headers already, and Redis knows the script of the limits."""
    settings.RESPONSE_CACHE = "full"
    monkeypatch.setattr(conditional, "_SETTLED", timedelta(0))
    anyone.get("/products/")


@contextmanager
def asked() -> Iterator[dict[str, list[str]]]:
    """What Redis and the database are asked while the context lasts; known once it has ended."""
    seen: dict[str, list[str]] = {}
    with recorded() as operations, redis_calls() as calls:
        yield seen
        assert wait_until_idle(10), "what is asked after the answer counts too"
    seen["redis"] = list(calls)
    seen["database"] = [f"{found.collection}.{found.kind}" for found in operations]


@pytest.fixture
def path(lamp: ProductRow) -> str:
    return f"/products/{lamp['_id']}"


def of(call: Callable[[], Any]) -> dict[str, list[str]]:
    with asked() as seen:
        call()
    return seen


@pytest.mark.parametrize("address", ["{product}", "/products/", "/products/?q=lamp"])
def test_an_answer_that_redis_keeps_costs_the_limit_and_one_look(
    address: str, path: str, anyone: ApiClient
) -> None:
    address = address.format(product=path)
    anyone.get(address)
    assert of(lambda: anyone.get(address)) == {"redis": [LIMIT, "MGET"], "database": []}


def test_who_signed_in_costs_the_read_of_the_user_more(path: str, alice: Person) -> None:
    alice.api.get(path)
    assert of(lambda: alice.api.get(path)) == {"redis": [LIMIT, "MGET"], "database": [IDENTITY]}


def test_an_answer_that_is_not_kept_yet_costs_another_look_one_read_and_its_keeping(
    path: str, anyone: ApiClient
) -> None:
    anyone.get(path)
    address = f"{path}?fields=name"  # of the same topics
    assert of(lambda: anyone.get(address)) == {
        "redis": [LIMIT, "MGET", "MGET", "SET"], "database": ["products.find"],
    }  # fmt: skip


@pytest.mark.parametrize("headers", [{}, {"HTTP_IF_NONE_MATCH": "*"}])
def test_an_answer_that_the_process_keeps_costs_the_limit_alone(
    headers: dict[str, str], path: str
) -> None:
    call = Calls(PublicReads(WSGIHandler()))
    for _ in range(2):
        call(path)
    assert of(lambda: call(path, **headers)) == {"redis": [LIMIT], "database": []}


def test_around_django_an_answer_that_redis_keeps_costs_one_look_too(path: str) -> None:
    call = Calls(PublicReads(WSGIHandler(), in_process=False))
    call(path)
    assert of(lambda: call(path)) == {"redis": ["MGET", LIMIT], "database": []}


@pytest.mark.parametrize(
    ("in_process", "looks"),
    [(True, [LIMIT, "MGET", "MGET"]), (False, ["MGET", "MGET", LIMIT, "MGET", "MGET"])],
)
def test_around_django_an_answer_that_is_void_costs_its_looks_one_read_and_its_keeping(
    in_process: bool, looks: list[str], path: str
) -> None:
    call = Calls(PublicReads(WSGIHandler(), in_process=in_process))
    call(path)
    ProductService.update(product_id=path.rpartition("/")[2], changes={"quantity": 3})
    assert of(lambda: call(path)) == {
        "redis": [*looks, "SET", "SET"], "database": ["products.find"],
    }  # fmt: skip


def test_with_the_caches_off_a_read_costs_the_limit_and_one_read(
    path: str, anyone: ApiClient, settings: Any
) -> None:
    settings.RESPONSE_CACHE = "off"
    assert of(lambda: anyone.get(path)) == {"redis": [LIMIT], "database": ["products.find"]}


def test_an_add_to_a_cart_costs_the_limit_and_three_operations(
    alice: Person, lamp: ProductRow
) -> None:
    item = {"product_id": str(lamp["_id"]), "quantity": 1}
    cart = alice.api.post("/shopping-carts/", {"items": [item]})["id"]
    assert of(lambda: alice.api.post(f"/shopping-carts/{cart}/items", item)) == {
        "redis": [LIMIT],
        "database": [
            IDENTITY, "shopping_carts.find", "products.find", "shopping_carts.findAndModify",
        ],
    }  # fmt: skip


def test_reading_a_cart_costs_the_limit_and_two_reads(alice: Person, lamp: ProductRow) -> None:
    item = {"product_id": str(lamp["_id"]), "quantity": 1}
    cart = alice.api.post("/shopping-carts/", {"items": [item]})["id"]
    assert of(lambda: alice.api.get(f"/shopping-carts/{cart}")) == {
        "redis": [LIMIT], "database": [IDENTITY, "shopping_carts.find", "products.find"],
    }  # fmt: skip


def test_a_write_to_the_catalog_says_what_changed_in_one_call(path: str, sam: Person) -> None:
    assert of(lambda: sam.api.send("PATCH", path, {"price": 3})) == {
        "redis": [LIMIT, "SET SET SET"], "database": [IDENTITY, "products.findAndModify"],
    }  # fmt: skip
