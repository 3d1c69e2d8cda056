"""`seed`: demo data that is the same for the same seed, and may be run again."""

import json
from time import process_time
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.documents import User
from carts.documents import ShoppingCart
from catalog.documents import Product
from catalog.selectors import is_empty
from ecommerce.core.mongo import collection, uses_embedded_store
from tests.client import ApiClient, Person
from tests.commands import run

SMALL = {"products": 12, "users": 3, "carts": 2}


def seed(**options: int | bool) -> str:
    return run("seed", **{**SMALL, **options})


def catalog() -> list[dict[str, object]]:
    return list(collection(Product).find({}).sort("_id", 1))


def test_it_makes_products_users_carts_and_the_demo_logins(anyone: ApiClient) -> None:
    assert seed() == (
        "products: 12 added, 0 were there.\n"
        "users: 3 added, 0 were there.\n"
        "carts: 2 added, 0 were there.\n"
    )
    assert collection(ShoppingCart).count_documents({}) == 2
    assert anyone.form("/token", username="demo", password="demo-shop-2026").status == 200
    staff = anyone.form("/token", username="staff", password="staff-shop-2026")["access_token"]
    assert ApiClient(staff).get("/users/?count=true")["count"] == 5


def test_the_same_seed_gives_the_same_data_again() -> None:
    seed(seed=7)
    first = catalog()
    collection(Product).delete_many({})
    seed(seed=7)
    assert catalog() == first
    collection(Product).delete_many({})
    seed(seed=8)
    assert catalog() != first


def test_run_again_it_adds_only_what_is_missing() -> None:
    seed()
    before = catalog()
    assert seed(products=14).splitlines()[0] == "products: 2 added, 12 were there."
    assert catalog()[:12] == before
    assert seed(products=14).splitlines() == [
        "products: 0 added, 14 were there.",
        "users: 0 added, 3 were there.",
        "carts: 0 added, 2 were there.",
    ]


def test_carts_of_customers_who_are_not_there_are_not_said_to_be_there() -> None:
    advice = "each belongs to a customer of this seed, see --users"
    assert seed(users=3, carts=10).splitlines()[-1] == (
        f"carts: 3 added, 0 were there, 7 left out: {advice}."
    )
    assert collection(ShoppingCart).count_documents({}) == 3
    assert seed(users=5, carts=10).splitlines()[-1] == (
        f"carts: 2 added, 3 were there, 5 left out: {advice}."
    )
    assert seed(users=0, carts=5).splitlines()[-1] == "carts: 0 added, 5 were there."


def test_if_empty_leaves_a_store_with_products_alone() -> None:
    seed()
    assert seed(if_empty=True, products=99) == "There is data already: nothing was added.\n"


@pytest.mark.parametrize("count", ["-1", "1000001", "many", "²"])
def test_how_much_of_what_is_a_sound_number(count: str) -> None:
    with pytest.raises(CommandError, match="0 to 1000000, not"):
        call_command("seed", f"--products={count}")
    assert is_empty()


def test_without_the_setting_there_are_no_demo_logins(settings: object) -> None:
    settings.DEMO_LOGINS = False  # type: ignore[attr-defined]
    seed()
    assert collection(User).count_documents({"username": {"$in": ["demo", "staff"]}}) == 0


def test_the_products_that_the_documentation_shows_can_be_added(sam: Person) -> None:
    seed()
    document = json.loads(sam.api.get("/openapi.json").body)
    body = document["paths"]["/products/"]["post"]["requestBody"]["content"]["application/json"]
    examples = {name: example["value"] for name, example in body["examples"].items()}
    added = {name: sam.api.post("/products/", value).status for name, value in examples.items()}
    assert added == {"ASimpleProduct": 201, "WithVariants": 201}


@pytest.mark.skipif(not uses_embedded_store(), reason="a promise of the embedded store alone")
def test_with_the_demo_catalog_no_read_of_it_takes_longer_than_50_milliseconds(
    anyone: ApiClient, settings: Any
) -> None:
    settings.RESPONSE_CACHE = "off"
    seed(products=200)
    product = anyone.get("/products/?limit=1")["items"][0]["id"]
    for address in (
        "/products/", "/products/?limit=100", "/products/?ordering=price", "/products/?q=lamp",
        "/products/?q=oak+lamp&category=home&in_stock=true&ordering=name", "/products/?count=true",
        "/products/facets", "/products/facets?q=lamp&brand=Fennick", "/products/suggest?q=la",
        "/categories/", "/categories/home/products", f"/products/{product}",
    ):  # fmt: skip
        assert min(seconds(anyone, address) for _ in range(5)) < 0.05, address


def seconds(api: ApiClient, address: str) -> float:
    """Of this process: others may be busy beside it."""
    begun = process_time()
    assert api.get(address).status == 200
    return process_time() - begun
