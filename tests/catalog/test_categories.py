"""/categories/: a tree that stays a tree."""

import gzip
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from catalog.documents import Category, CategoryRow, CategoryTree, Product, ProductRow
from catalog.services import CategoryService, categories
from ecommerce.core.mongo import collection
from tests.client import Answer, ApiClient, Person
from tests.faults import KilledError

Make = Callable[..., CategoryRow]
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def tree() -> dict[str, str]:
    """Slug and path of every category."""
    rows = collection(Category).find({"slug": {"$exists": True}})
    return {row["slug"]: "/".join(row["path"]) for row in rows}


@pytest.fixture
def home(make_category: Make) -> None:
    make_category("home")
    make_category("lamps", "home")
    make_category("floor-lamps", "lamps")
    make_category("garden")


# --- reading -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("home")
def test_anyone_reads_a_category_by_slug_or_id(anyone: ApiClient) -> None:
    answer = anyone.get("/categories/floor-lamps")
    body = answer.json()
    assert answer.status == 200
    assert {name: body[name] for name in ("slug", "name", "parent", "path", "position")} == {
        "slug": "floor-lamps",
        "name": "Floor-Lamps",
        "parent": "lamps",
        "path": [
            {"slug": "home", "name": "Home"},
            {"slug": "lamps", "name": "Lamps"},
            {"slug": "floor-lamps", "name": "Floor-Lamps"},
        ],
        "position": 0,
    }
    assert anyone.get(f"/categories/{body['id']}").json() == body


@pytest.mark.parametrize("reference", ["unknown", "0" * 24, "%00", "HOME"])
@pytest.mark.usefixtures("home")
def test_an_unknown_category_is_404(reference: str, anyone: ApiClient) -> None:
    assert anyone.get(f"/categories/{reference}").outcome == (404, "category_not_found")


@pytest.mark.usefixtures("home")
def test_the_list_walks_the_tree_from_top_to_bottom(anyone: ApiClient) -> None:
    first = anyone.get("/categories/?limit=3")
    assert [row["slug"] for row in first["items"]] == ["garden", "home", "lamps"]
    second = anyone.get(first["next"])
    assert [row["slug"] for row in second["items"]] == ["floor-lamps"]


def test_children_stand_by_position(make_category: Make, anyone: ApiClient) -> None:
    make_category("home")
    for position, slug in enumerate(("c", "a", "b")):
        make_category(slug, "home", position=position)
    rows = anyone.get("/categories/?parent=home")["items"]
    assert [row["slug"] for row in rows] == ["c", "a", "b"]
    assert [row["slug"] for row in anyone.get("/categories/?parent=")["items"]] == ["home"]


@pytest.mark.usefixtures("home")
def test_the_etag_changes_with_a_name_above_too(anyone: ApiClient, sam: Person) -> None:
    tag = anyone.get("/categories/lamps").headers["ETag"]
    assert anyone.get("/categories/lamps", If_None_Match=tag).status == 304
    sam.api.patch("/categories/home", {"name": "House"})
    assert anyone.get("/categories/lamps", If_None_Match=tag)["path"][0]["name"] == "House"


def test_a_slug_that_another_category_has_got_is_read_anew(anyone: ApiClient, sam: Person) -> None:
    sam.api.post("/categories/", {"name": "Old lamps", "slug": "lamps"})
    tag = anyone.get("/categories/lamps").headers["ETag"]
    assert sam.api.send("DELETE", "/categories/lamps").status == 204
    sam.api.post("/categories/", {"name": "New lamps", "slug": "lamps"})
    answer = anyone.get("/categories/lamps", If_None_Match=tag)
    assert (answer.status, answer["name"]) == (200, "New lamps")


@pytest.mark.usefixtures("home")
def test_its_products_take_no_other_category(
    make_product: Callable[..., ProductRow], anyone: ApiClient
) -> None:
    make_product(category="home")
    answer = anyone.get("/categories/home/products?category=garden")
    assert (answer.outcome, answer.pointers) == ((400, "validation_error"), ["/category"])
    document = anyone.get("/openapi.json").json()
    parameters = document["paths"]["/categories/{id}/products"]["get"]["parameters"]
    names = {parameter["name"] for parameter in parameters}
    assert ("category" in names, "brand" in names) == (False, True)


@pytest.mark.usefixtures("home")
def test_its_products_are_those_of_everything_below_it(
    make_product: Callable[..., ProductRow], anyone: ApiClient
) -> None:
    make_product(name="A", category="floor-lamps")
    make_product(name="B", category="home")
    make_product(name="C", category="garden")
    answer = anyone.get("/categories/home/products?ordering=name")
    assert [product["name"] for product in answer["items"]] == ["A", "B"]
    assert anyone.get("/categories/unknown/products").outcome == (404, "category_not_found")


# --- writing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/categories/"), ("PUT", "/categories/home"), ("PATCH", "/categories/home"),
     ("DELETE", "/categories/home")],
)  # fmt: skip
@pytest.mark.usefixtures("home")
def test_staff_alone_writes(method: str, path: str, alice: Person, anyone: ApiClient) -> None:
    before = tree()
    assert anyone.send(method, path, {"name": "X"}).outcome == (401, "not_authenticated")
    assert alice.api.send(method, path, {"name": "X"}).outcome == (403, "permission_denied")
    assert tree() == before


def test_a_new_category_gets_a_slug_of_its_name(sam: Person) -> None:
    first = sam.api.post("/categories/", {"name": "Lämpen & Lights"})
    assert (first.status, first["slug"]) == (201, "lampen-lights")
    assert first.headers["Location"] == "http://testserver/categories/lampen-lights"
    assert sam.api.post("/categories/", {"name": "Lampen Lights"})["slug"] == "lampen-lights-2"
    assert sam.api.post("/categories/", {"name": "灯"})["slug"].startswith("c-")


@pytest.mark.usefixtures("home")
def test_a_slug_belongs_to_one_category(sam: Person) -> None:
    answer = sam.api.post("/categories/", {"name": "Other", "slug": "lamps"})
    assert answer.outcome == (409, "duplicate_category")
    assert answer.pointers == ["/slug"]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 400, "/name"),
        ({"name": "X", "slug": "No Slug"}, 400, "/slug"),
        ({"name": "X", "slug": "a" * 24}, 400, "/slug"),
        ({"name": "X", "position": -1}, 400, "/position"),
        ({"name": "X", "path": ["y"]}, 400, "/path"),
        ({"name": "X", "parent": "unknown"}, 404, "/parent"),
    ],
)
def test_bad_input_names_the_field(
    body: dict[str, Any], status: int, pointer: str, sam: Person
) -> None:
    answer = sam.api.post("/categories/", body)
    assert (answer.status, answer.pointers) == (status, [pointer])


@pytest.mark.usefixtures("home")
def test_what_stands_below_and_the_products_move_along(
    make_product: Callable[..., ProductRow], sam: Person
) -> None:
    product = make_product(category="floor-lamps")
    answer = sam.api.patch("/categories/lamps", {"parent": "garden"})
    assert (answer.status, answer["parent"], answer["version"]) == (200, "garden", 2)
    assert tree() == {
        "home": "home", "garden": "garden", "lamps": "garden/lamps",
        "floor-lamps": "garden/lamps/floor-lamps",
    }  # fmt: skip
    for slug, count in {"garden": 1, "lamps": 1, "home": 0}.items():
        assert len(sam.api.get(f"/categories/{slug}/products")["items"]) == count
    assert sam.api.get(f"/products/{product['_id']}")["version"] == 2


@pytest.mark.usefixtures("home")
def test_without_a_parent_it_becomes_a_root(sam: Person) -> None:
    assert sam.api.put("/categories/lamps", {"name": "Lamps"})["parent"] is None
    assert tree()["floor-lamps"] == "lamps/floor-lamps"


@pytest.mark.parametrize("parent", ["lamps", "floor-lamps"])
@pytest.mark.usefixtures("home")
def test_a_category_cannot_stand_below_itself(parent: str, sam: Person) -> None:
    before = tree()
    answer = sam.api.patch("/categories/lamps", {"parent": parent})
    assert answer.outcome == (409, "category_cycle")
    assert tree() == before


def test_a_tree_has_at_most_10_levels(make_category: Make, sam: Person) -> None:
    make_category("l1")
    for level in range(2, 11):
        make_category(f"l{level}", f"l{level - 1}")
    make_category("a")
    make_category("b", "a")
    deeper = sam.api.post("/categories/", {"name": "X", "parent": "l10"})
    assert deeper.outcome == (409, "category_depth")
    assert sam.api.patch("/categories/a", {"parent": "l9"}).outcome == (409, "category_depth")
    assert sam.api.patch("/categories/b", {"parent": "l9"}).status == 200


@pytest.mark.usefixtures("home")
def test_a_slug_does_not_change(sam: Person) -> None:
    answer = sam.api.patch("/categories/home", {"slug": "house"})
    assert answer.outcome == (409, "slug_fixed")
    assert sam.api.patch("/categories/home", {"slug": "home", "name": "House"}).status == 200


@pytest.mark.usefixtures("home")
def test_if_match_guards_every_change(sam: Person) -> None:
    stale = {"If_Match": '"v7"'}
    changed = {"name": "House"}
    assert sam.api.patch("/categories/home", changed, **stale).outcome[0] == 412
    assert sam.api.delete("/categories/garden", **stale).outcome[0] == 412
    assert sam.api.patch("/categories/home", changed, If_Match='"v1"').status == 200


# --- deleting ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("home")
def test_an_empty_category_can_be_deleted_and_its_slug_used_again(sam: Person) -> None:
    assert sam.api.delete("/categories/garden").status == 204
    assert sam.api.get("/categories/garden").status == 404
    assert sam.api.delete("/categories/garden").outcome == (404, "category_not_found")
    assert sam.api.post("/categories/", {"name": "Garden", "slug": "garden"}).status == 201


@pytest.mark.usefixtures("home")
def test_one_that_holds_others_cannot_be_deleted(sam: Person) -> None:
    answer = sam.api.delete("/categories/lamps")
    assert answer.outcome == (409, "category_in_use")
    assert answer["holds"] == "categories"
    assert "lamps" in tree()


@pytest.mark.usefixtures("home")
def test_one_with_products_is_deleted_only_when_told_where_they_go(
    make_product: Callable[..., ProductRow], sam: Person
) -> None:
    product = make_product(category="floor-lamps")
    answer = sam.api.delete("/categories/floor-lamps")
    assert answer.outcome == (409, "category_in_use")
    assert answer["holds"] == "products"
    for wrong in ("unknown", "floor-lamps"):
        refused = sam.api.delete(f"/categories/floor-lamps?products_to={wrong}")
        assert refused.outcome == (404, "category_not_found")
    assert sam.api.delete("/categories/floor-lamps?products_to=garden").status == 204
    assert sam.api.get(f"/products/{product['_id']}")["category"] == "garden"
    assert len(sam.api.get("/categories/garden/products")["items"]) == 1


# --- races and crashes -------------------------------------------------------------------------


def is_a_tree() -> bool:
    """Whether every path is the parent's path and one more, and nothing stands below itself."""
    rows = {row["slug"]: row for row in collection(Category).find({"slug": {"$exists": True}})}
    return all(
        row["path"] == [*(rows[row["parent"]]["path"] if row.get("parent") else []), slug]
        and len(set(row["path"])) == len(row["path"])
        for slug, row in rows.items()
    )


def test_concurrent_moves_never_make_a_cycle(make_category: Make, sam: Person) -> None:
    slugs = [f"c{number}" for number in range(6)]
    for slug in slugs:
        make_category(slug)

    def move(number: int) -> Answer:
        api = ApiClient(sam.api.token)
        target = slugs[(number * 5 + 1) % 6]
        return api.patch(f"/categories/{slugs[number % 6]}", {"parent": target})

    for _ in range(5):
        with ThreadPoolExecutor(12) as pool:
            outcomes = {answer.status for answer in pool.map(move, range(24))}
        assert outcomes <= {200, 409}
        assert is_a_tree()


@pytest.mark.parametrize("step", ["_place_category", "_move_products"])
@pytest.mark.usefixtures("home")
def test_a_move_that_was_interrupted_is_finished_by_the_next_change(
    step: str,
    make_product: Callable[..., ProductRow],
    make_category: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    product = make_product(category="floor-lamps")

    def die(*_: Any, **__: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(categories, step, die)
        with pytest.raises(KilledError):
            CategoryService.update(reference="lamps", changes={"parent": "garden"})
    make_category("next")
    assert is_a_tree()
    assert tree()["floor-lamps"] == "garden/lamps/floor-lamps"
    row = collection(Product).find_one({"_id": product["_id"]})
    assert row is not None
    assert row["category_path"] == ["garden", "lamps", "floor-lamps"]
    settled = collection(CategoryTree).find_one({})
    assert settled is not None
    assert settled["intent"] is None


@pytest.mark.usefixtures("home")
def test_a_late_step_of_an_older_move_changes_nothing(
    make_product: Callable[..., ProductRow],
) -> None:
    make_product(category="lamps")
    CategoryService.update(reference="lamps", changes={"parent": "garden"})
    older = collection(CategoryTree).find_one({})
    assert older is not None
    CategoryService.update(reference="lamps", changes={"parent": "home"})
    late: Any = {"kind": "change", "slug": "lamps", "path": ["garden", "lamps"], "values": {}}
    categories._change(older["version"], late)
    assert tree()["lamps"] == "home/lamps"
    assert collection(Product).count_documents({"category_path": "home"}) == 1


def test_a_product_written_while_its_category_moves_stands_where_the_category_stands(
    make_product: Callable[..., ProductRow], make_category: Make, sam: Person
) -> None:
    for slug in ("a", "b", "x"):
        make_category(slug)
    make_category("moving", "a")

    def work(number: int) -> int:
        api = ApiClient(sam.api.token)
        if number % 2:
            parent = ("a", "b", "x")[number % 3]
            return api.patch("/categories/moving", {"parent": parent}).status
        body = {"name": f"P{number}", "price": 1, "category": "moving"}
        return api.post("/products/", body).status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(40))) <= {200, 201}
    path = tree()["moving"].split("/")
    rows = list(collection(Product).find({"category": "moving"}))
    assert len(rows) == 20
    assert {tuple(row["category_path"]) for row in rows} == {tuple(path)}


def test_a_product_of_a_category_that_goes_is_left_without_one(
    make_category: Make, make_product: Callable[..., ProductRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_category("gone")
    from catalog.services import products

    really = products._category_fields

    def between(values: Any) -> Any:
        found = really(values)
        if values.get("category") == "gone":
            monkeypatch.undo()
            CategoryService.delete(reference="gone")
        return found

    monkeypatch.setattr(products, "_category_fields", between)
    row = make_product(category="gone")
    assert "category" not in row
    assert "category_path" not in row


# --- real data ---------------------------------------------------------------------------------


@pytest.mark.skipif(not DATA.exists(), reason="the real data sets are not beside the project")
def test_4584_real_categories_stand_on_their_full_paths(anyone: ApiClient) -> None:
    with gzip.open(DATA / "bestbuy-categories.json.gz") as file:
        rows = json.load(file)
    paths = {
        step["id"]: row["path"][: depth + 1]
        for row in rows
        for depth, step in enumerate(row["path"])
    }
    assert (len(rows), len(paths)) == (4584, 4723), "139 stand in paths only"
    values: Any = [
        {
            "slug": path[-1]["id"].lower(),
            "name": path[-1]["name"] or path[-1]["id"],  # one has no name
            "parent": path[-2]["id"].lower() if len(path) > 1 else None,
        }
        for path in sorted(paths.values(), key=len)
    ]
    for start in range(0, len(values), 500):
        CategoryService.create_many(values=values[start : start + 500])
    stored = tree()
    for row in rows:
        expected = "/".join(step["id"].lower() for step in row["path"])
        assert stored[row["id"].lower()] == expected
    deepest = max(rows, key=lambda row: len(row["path"]))
    answer = anyone.get(f"/categories/{deepest['id'].lower()}")
    assert [step["name"] for step in answer["path"]] == [step["name"] for step in deepest["path"]]
    seen, target = 0, "/categories/?limit=100"
    while target:
        page = anyone.get(target)
        seen, target = seen + len(page["items"]), page["next"]
    assert seen == len(paths)
