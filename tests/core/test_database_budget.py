"""How often each request may ask the database. A call that is signed in also reads its user."""

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from catalog.documents import CategoryRow, ProductRow
from catalog.importing.jobs import work_on_imports
from tests.client import PASSWORD, Answer, ApiClient, Person
from tests.operations import asked

IDENTITY = "users.find"


def test_a_product_takes_one_read(anyone: ApiClient, lamp: ProductRow) -> None:
    assert asked(lambda: anyone.get(f"/products/{lamp['_id']}")) == ["products.find"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("desk-lamp", 200), ("nobodys-lamp", 404)],
)
def test_a_product_takes_one_read_by_its_slug_too(
    name: str, expected: int, make_product: Callable[..., ProductRow], anyone: ApiClient
) -> None:
    make_product(slug="desk-lamp")
    assert asked(lambda: anyone.get(f"/products/{name}"), status=expected) == ["products.find"]


@pytest.mark.parametrize("name", ["Desk-Lamp", "desk--lamp", "-", "a" * 201, "%00", "desk_lamp"])
def test_what_can_be_no_slug_asks_nothing(name: str, anyone: ApiClient) -> None:
    assert asked(lambda: anyone.get(f"/products/{name}"), status=404) == []


@pytest.fixture
def shelf(
    make_product: Callable[..., ProductRow], make_category: Callable[..., CategoryRow]
) -> CategoryRow:
    """Six lamps, in a category two levels deep."""
    make_category("home")
    category = make_category("lamps", "home")
    for number in range(6):
        make_product(name=f"Lamp {number}", category="lamps", brand="Eastlight", tags=["new"])
    return category


PAGE = ["products.find"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", PAGE),
        ("ordering=newest", PAGE),
        ("ordering=price", PAGE),
        ("ordering=-price", PAGE),
        ("ordering=name", PAGE),
        ("ordering=relevance", PAGE),
        ("q=lamp&ordering=price", PAGE),
        ("fields=id,name", PAGE),
        ("category=home&brand=Eastlight&tag=new&min_price=1&max_price=99&in_stock=true", PAGE),
        ("count=true", ["products.find", "products.aggregate"]),
        # By relevance one read a rank, as far as the page reaches: sku, then name, then the rest.
        ("q=lamp", PAGE * 2),
        ("q=lamp&limit=100", PAGE * 3),
        ("q=lamp&count=true", PAGE * 2 + ["products.aggregate"] * 3),
    ],
)
def test_a_page_of_products_takes_one_read_and_by_relevance_one_for_each_rank(
    query: str, expected: list[str], shelf: CategoryRow, anyone: ApiClient
) -> None:
    limit = "" if "limit" in query else "&limit=3"
    assert asked(lambda: anyone.get(f"/products/?{query}{limit}")) == expected


@pytest.mark.parametrize("ordering", ["newest", "price", "-price", "name"])
def test_every_further_page_takes_one_read_in_both_directions(
    ordering: str, shelf: CategoryRow, anyone: ApiClient
) -> None:
    first = anyone.get(f"/products/?limit=2&ordering={ordering}")
    assert asked(lambda: anyone.get(first["next"])) == PAGE
    previous = anyone.get(first["next"])["previous"]
    assert asked(lambda: anyone.get(previous)) == PAGE


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        # The second names the categories that are counted.
        ("/products/facets", ["products.aggregate", "categories.find"]),
        (
            "/products/facets?q=lamp&category=home&brand=Eastlight",
            ["products.aggregate", "categories.find"],
        ),
        ("/products/facets?q=nothing", ["products.aggregate"]),
        ("/products/suggest?q=.*", []),
        # Names that begin so, and because these are fewer than ten, the others.
        ("/products/suggest?q=la", PAGE * 2),
        ("/products/?category={id}", ["categories.find", "products.find"]),
        ("/products/?category={id}&category=home", ["categories.find", "products.find"]),
        (
            "/products/facets?category={id}",
            ["categories.find", "products.aggregate", "categories.find"],
        ),
        ("/categories/", ["categories.find"] * 2),
        ("/categories/?parent=home", ["categories.find"] * 2),
        ("/categories/lamps", ["categories.find"] * 2),
        ("/categories/{id}", ["categories.find"] * 2),
        ("/categories/lamps/products", ["categories.find", "products.find"]),
        ("/categories/{id}/products", ["categories.find", "products.find"]),
    ],
)
def test_every_other_read_of_the_catalog_takes_so_many(
    address: str, expected: list[str], shelf: CategoryRow, anyone: ApiClient
) -> None:
    assert asked(lambda: anyone.get(address.format(id=shelf["_id"]))) == expected


def test_suggestions_take_one_read_where_enough_names_begin_so(
    make_product: Callable[..., ProductRow], anyone: ApiClient
) -> None:
    for number in range(10):
        make_product(name=f"Lamp {number}")
    assert asked(lambda: anyone.get("/products/suggest?q=la")) == PAGE


def test_a_sparse_answer_reads_no_more_than_a_whole_one(
    anyone: ApiClient, lamp: ProductRow
) -> None:
    assert asked(lambda: anyone.get(f"/products/{lamp['_id']}?fields=name,price")) == PAGE


@pytest.mark.parametrize("address", ["/products/{id}", "/products/", "/products/facets"])
def test_a_304_reads_no_more_than_a_200(
    address: str, anyone: ApiClient, lamp: ProductRow, settings: Any
) -> None:
    settings.RESPONSE_CACHE = "off"
    path = address.format(id=lamp["_id"])
    tag = anyone.get(path).headers["ETag"]
    whole = asked(lambda: anyone.get(path))
    assert len(whole) == 1
    assert asked(lambda: anyone.get(path, If_None_Match=tag), status=304) == whole


@pytest.mark.parametrize(
    "query", ["q=" + "a" * 201, "ordering=x", "limit=0", "cursor=x.x", "brand[$ne]=x"]
)
def test_what_is_refused_asks_nothing(query: str, anyone: ApiClient) -> None:
    assert asked(lambda: anyone.get(f"/products/?{query}"), status=400) == []


CHANGE = "products.findAndModify"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "expected"),
    [
        ("POST", "", {"name": "A", "price": 1}, 201, ["products.insert"]),
        # A category may move between the moment it is read and the write: it is looked at again.
        (
            "POST", "", {"name": "A", "price": 1, "category": "lamps"}, 201,
            ["categories.find", "products.insert", "categories.find"],
        ),
        ("PUT", "/{id}", {"name": "A", "price": 1}, 200, [CHANGE]),
        ("PATCH", "/{id}", {"price": 2}, 200, [CHANGE]),
        ("PATCH", "/{id}", {"quantity": 2}, 200, [CHANGE]),
        # Search keys follow from all of name, brand, tags and sku.
        ("PATCH", "/{id}", {"name": "B"}, 200, ["products.find", CHANGE]),
        (
            "PATCH", "/{id}", {"category": "home"}, 200,
            ["categories.find", CHANGE, "categories.find"],
        ),
        ("DELETE", "/{id}", None, 204, [CHANGE]),
        (
            "POST", "/{id}/stock", {"delta": -1, "reason": "sold"}, 200,
            [CHANGE, "stock_movements.insert", "products.update"],
        ),
        ("GET", "/{id}/stock", None, 200, ["products.find", "stock_movements.find"]),
    ],
)  # fmt: skip
def test_a_write_of_staff_takes_so_many_operations_beside_the_identity(
    method: str, path: str, body: Any, status: int, expected: list[str],
    shelf: CategoryRow, lamp: ProductRow, sam: Person,
) -> None:  # fmt: skip
    address = f"/products{path.format(id=lamp['_id'])}"
    seen = asked(lambda: sam.api.send(method, address, body), status=status)
    assert seen == [IDENTITY, *expected]


ROW = "categories.find"
CATEGORY, ITS_PRODUCTS = "categories.update", "products.update"
DECIDING = "category_tree.find"
DECIDED = "category_tree.findAndModify"
CARRIED_OUT = "category_tree.update"


@pytest.mark.parametrize(
    ("method", "path", "body", "decides", "does", "shows"),
    [
        ("POST", "", {"name": "A"}, [ROW], ["categories.insert"], [ROW]),
        ("PATCH", "/lamps", {"name": "A"}, [ROW], [ROW, CATEGORY, ITS_PRODUCTS], [ROW] * 2),
        ("PATCH", "/lamps", {"parent": None}, [ROW] * 2, [ROW, CATEGORY, ITS_PRODUCTS], [ROW] * 2),
        (
            "PUT", "/lamps", {"name": "A", "parent": "home"},
            [ROW] * 3, [ROW, CATEGORY, ITS_PRODUCTS], [ROW] * 2,
        ),
        ("DELETE", "/empty", None, [ROW] * 2 + PAGE, [CATEGORY, ITS_PRODUCTS], []),
        ("DELETE", "/lamps?products_to=home", None, [ROW] * 3, [CATEGORY, ITS_PRODUCTS], []),
    ],
)  # fmt: skip
def test_a_write_of_a_category_takes_so_many_operations_beside_the_identity(
    method: str, path: str, body: Any, decides: list[str], does: list[str], shows: list[str],
    shelf: CategoryRow, make_category: Callable[..., CategoryRow], sam: Person,
) -> None:  # fmt: skip
    make_category("empty")
    status = {"POST": 201, "DELETE": 204}.get(method, 200)
    seen = asked(lambda: sam.api.send(method, f"/categories{path}", body), status=status)
    assert seen == [IDENTITY, DECIDING, *decides, DECIDED, *does, CARRIED_OUT, *shows]


LINES = b'{"name": "A", "price": 1}\n{"name": "B", "price": 1}\n'


@pytest.fixture
def imported(sam: Person) -> str:
    """The id of an import of two rows that is over."""
    job = sam.api.send("POST", "/products/imports", raw=LINES, content_type="application/jsonl")
    work_on_imports(Event())
    return str(job["id"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/products/imports", ["import_jobs.find"]),
        ("/products/imports/{id}", ["import_jobs.find"]),
        ("/products/imports/{id}/rows", ["import_jobs.find", "import_results.find"]),
        # The second finds that there is no further batch.
        ("/products/exports", PAGE * 2),
        ("/products/exports?format=jsonl", PAGE * 2),
    ],
)
def test_looking_at_imports_and_exporting_takes_so_many_operations_beside_the_identity(
    path: str, expected: list[str], imported: str, sam: Person
) -> None:
    assert asked(lambda: sam.api.get(path.format(id=imported))) == [IDENTITY, *expected]


def test_taking_a_file_in_takes_one_operation_for_each_piece_and_one_for_the_job(
    sam: Person,
) -> None:
    def upload() -> Answer:
        kind = "application/jsonl"
        return sam.api.send("POST", "/products/imports", raw=LINES, content_type=kind)

    assert asked(upload, status=202) == [
        IDENTITY, "import_chunks.insert", "import_jobs.insert",
    ]  # fmt: skip


def test_many_writes_at_once_take_one_operation_each(sam: Person, lamp: ProductRow) -> None:
    rows = [
        {"operation": "create", "name": "A", "price": 1},
        {"operation": "update", "id": str(lamp["_id"]), "price": 2},
    ]
    assert asked(lambda: sam.api.post("/products/bulk", {"rows": rows})) == [
        IDENTITY, "products.find", "products.insert", CHANGE,
    ]  # fmt: skip


def test_signing_in_takes_a_read_a_write_and_its_entry_in_the_audit_log(
    anyone: ApiClient, alice: Person
) -> None:
    assert asked(lambda: anyone.form("/token", username="alice", password=PASSWORD)) == [
        "users.find",
        "audit_events.insert",
        "refresh_families.insert",
    ]


def test_renewing_takes_a_write_and_a_read(anyone: ApiClient, alice: Person) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": alice.tokens.refresh_token}
    assert asked(lambda: anyone.form("/token", **form)) == [
        "refresh_families.findAndModify",
        "users.find",
    ]


def test_a_renewal_in_the_grace_takes_one_read_more(anyone: ApiClient, alice: Person) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": alice.tokens.refresh_token}
    anyone.form("/token", **form)
    assert asked(lambda: anyone.form("/token", **form)) == [
        "refresh_families.findAndModify",
        "refresh_families.find",
        "users.find",
    ]


def test_a_locked_login_asks_nothing(anyone: ApiClient, alice: Person, limits_on: None) -> None:
    form = {"username": "alice", "password": "wrong-horse-9"}
    for _ in range(10):
        anyone.form("/token", **form)
    assert asked(lambda: anyone.form("/token", **form), status=429) == []


POSTS: dict[str, tuple[dict[str, Any], int]] = {
    "/products/": ({"name": "Chair", "price": 5}, 201),
    "/products/{lamp}/stock": ({"delta": 1, "reason": "found"}, 200),
    "/categories/": ({"name": "Chairs"}, 201),
    "/users/": ({"username": "carol", "email": "c@example.com", "password": PASSWORD}, 201),
}


@pytest.mark.parametrize("path", POSTS)
def test_an_idempotency_key_adds_a_claim_and_its_end(
    path: str, sam: Person, lamp: ProductRow
) -> None:
    body, status = POSTS[path]
    address = path.format(lamp=lamp["_id"])
    sam.api.post("/categories/", {"name": "Tables"})  # the first plants the tree
    plain = asked(lambda: sam.api.post(address, body), status=status)
    if "name" in body:
        body = {**body, "name": "Sofa"}
    if "username" in body:
        body = {**body, "username": "dave", "email": "d@example.com"}
    keyed = asked(lambda: sam.api.post(address, body, Idempotency_Key="once" * 4), status=status)
    claim, end = "idempotency_records.insert", "idempotency_records.findAndModify"
    assert sorted(keyed) == sorted([*plain, claim, end])


def test_a_replay_takes_two_operations_and_no_work(sam: Person) -> None:
    def post() -> Answer:
        return sam.api.post("/products/", {"name": "Chair", "price": 5}, Idempotency_Key="once")

    post()
    assert asked(post, status=201) == [
        IDENTITY, "idempotency_records.insert", "idempotency_records.find",
    ]  # fmt: skip


def test_probes_and_documents_ask_nothing(anyone: ApiClient) -> None:
    assert asked(lambda: anyone.get("/livez")) == []
    assert asked(lambda: anyone.get("/openapi.json")) == []
