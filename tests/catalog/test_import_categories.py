"""`import_categories` and `export_categories`: a tree from a file and back, unchanged."""

import gzip
import json
import random
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.documents import Category, CategoryRow, Product, ProductRow
from ecommerce.core.mongo import collection, uses_embedded_store
from tests.client import ApiClient
from tests.commands import run

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "bestbuy-categories.json.gz"


def import_file(path: Path, *options: str) -> str:
    return run("import_categories", str(path), *options)


def refused(path: Path) -> tuple[list[str], CommandError]:
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("import_categories", str(path), stdout=out)
    return out.getvalue().splitlines(), error.value


def paths() -> dict[str, list[str]]:
    return {row["slug"]: row["path"] for row in collection(Category).find({"slug": {"$gt": ""}})}


@pytest.fixture
def file(tmp_path: Path) -> Callable[[Any], Path]:
    def write(content: Any) -> Path:
        path = tmp_path / "categories.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write


OWN: list[dict[str, Any]] = [
    {"slug": "lamps", "name": "Lamps", "parent": "home", "position": 2},
    {"slug": "home", "name": "Home"},
    {"slug": "floor-lamps", "name": "Floor lamps", "parent": "lamps"},
]


def with_path(*names: str, below: tuple[str, ...] = ()) -> dict[str, Any]:
    path = [{"id": f"c{name}", "name": name} for name in names]
    further = [{"id": f"c{name}", "name": name} for name in below]
    return {**path[-1], "path": path, "subCategories": further}


@pytest.mark.parametrize("content", [OWN, {"items": OWN}], ids=["a list", "a page of the API"])
def test_categories_come_in_with_their_paths_in_any_order(
    content: Any, file: Callable[[Any], Path]
) -> None:
    assert import_file(file(content)) == "3 created, 0 updated, 0 unchanged, 0 faulty.\n"
    assert paths() == {
        "home": ["home"], "lamps": ["home", "lamps"],
        "floor-lamps": ["home", "lamps", "floor-lamps"],
    }  # fmt: skip
    assert import_file(file(content)) == "0 created, 0 updated, 3 unchanged, 0 faulty.\n"


def test_json_lines_and_gzip_are_told_by_their_content(tmp_path: Path) -> None:
    path = tmp_path / "categories"
    lines = "\n".join(json.dumps(item) for item in OWN)
    path.write_bytes(gzip.compress(lines.encode()))
    assert "3 created" in import_file(path)
    path.write_text(lines)
    assert "3 unchanged" in import_file(path)


def test_a_list_with_paths_makes_slugs_of_ids_and_positions_of_what_is_listed(
    file: Callable[[Any], Path],
) -> None:
    items = [with_path("Home", "Beds"), with_path("Home", below=("Lamps", "Beds"))]
    assert "2 created" in import_file(file(items))
    row = collection(Category).find_one({"slug": "cbeds"})
    assert row is not None
    assert (row["name"], row["path"], row["position"]) == ("Beds", ["chome", "cbeds"], 1)


def test_a_category_that_only_the_paths_of_others_name_comes_in_too(
    file: Callable[[Any], Path],
) -> None:
    assert "3 created" in import_file(file([with_path("Home", "Lamps", "Desk")]))
    assert paths()["cdesk"] == ["chome", "clamps", "cdesk"]


def test_a_category_without_a_name_is_called_by_its_id(file: Callable[[Any], Path]) -> None:
    item = {"id": "X1", "name": None, "path": [{"id": "X1", "name": None}]}
    assert import_file(file([item])) == (
        "item 1: a category without a name is called x1\n"
        "1 created, 0 updated, 0 unchanged, 0 faulty.\n"
    )


def test_what_differs_is_changed_and_takes_its_products_along(
    file: Callable[[Any], Path], make_product: Callable[..., ProductRow]
) -> None:
    import_file(file(OWN))
    product = make_product(category="floor-lamps")
    moved = [{"slug": "floor-lamps", "name": "Floors", "parent": "home"}]
    assert import_file(file(moved)) == "0 created, 1 updated, 0 unchanged, 0 faulty.\n"
    assert paths()["floor-lamps"] == ["home", "floor-lamps"]
    row = collection(Product).find_one({"_id": product["_id"]})
    assert row is not None
    assert row["category_path"] == ["home", "floor-lamps"]


def test_what_a_file_does_not_name_stays(
    file: Callable[[Any], Path], make_category: Callable[..., CategoryRow]
) -> None:
    make_category("garden")
    make_category("lamps", position=7)
    assert "1 unchanged" in import_file(file([{"slug": "lamps", "name": "Lamps"}]))
    assert sorted(paths()) == ["garden", "lamps"]
    row = collection(Category).find_one({"slug": "lamps"})
    assert row is not None
    assert row["position"] == 7


def test_a_dry_run_says_what_would_happen_and_writes_nothing(file: Callable[[Any], Path]) -> None:
    import_file(file(OWN[1:2]))
    before = list(collection(Category).find({}))
    changed = [{**OWN[1], "name": "House"}, OWN[0]]
    assert import_file(file(changed), "--dry-run") == (
        "1 would be created, 1 would be updated, 0 unchanged, 0 faulty.\n"
    )
    assert list(collection(Category).find({})) == before


def test_faulty_ones_name_their_places_and_keep_no_other_out(file: Callable[[Any], Path]) -> None:
    lines, error = refused(
        file(
            [
                {"slug": "good", "name": "Good"},
                {"slug": "Bad Slug", "name": "Bad"},
                {"slug": "nameless", "name": ""},
                {"slug": "good", "name": "Again"},
                {"slug": None, "name": "No slug"},
                {"slug": "orphan", "name": "Orphan", "parent": "nowhere"},
                {"slug": "below", "name": "Below", "parent": "orphan"},
                {"slug": "a", "name": "A", "parent": "b"},
                {"slug": "b", "name": "B", "parent": "a"},
            ]
        )
    )
    assert lines == [
        "item 2: slug: Use lower-case letters, digits and single hyphens.",
        "item 3: name: This field may not be blank.",
        "item 4: slug: the file names it before",
        "item 5: slug: it has no slug",
        "item 6: parent: there is no category nowhere",
        "item 7: parent: orphan did not come in, or stands below this one",
        "item 8: parent: b did not come in, or stands below this one",
        "item 9: parent: a did not come in, or stands below this one",
        "1 created, 0 updated, 0 unchanged, 8 faulty.",
    ]
    assert (error.returncode, str(error)) == (1, "8 of 9 categories did not come in.")
    assert paths() == {"good": ["good"]}


def test_a_tree_that_is_too_deep_comes_in_as_far_as_it_may_go(file: Callable[[Any], Path]) -> None:
    deep = [{"slug": "s1", "name": "1"}]
    deep += [{"slug": f"s{n}", "name": str(n), "parent": f"s{n - 1}"} for n in range(2, 12)]
    lines, error = refused(file(deep))
    assert lines == [
        "item 11: A tree of categories has at most 10 levels.",
        "10 created, 0 updated, 0 unchanged, 1 faulty.",
    ]
    assert error.returncode == 1


def test_a_category_cannot_be_moved_below_itself(file: Callable[[Any], Path]) -> None:
    import_file(file(OWN))
    lines, _ = refused(file([{"slug": "home", "name": "Home", "parent": "floor-lamps"}]))
    assert lines[0] == "item 1: The new parent is this category, or stands below it."
    assert paths()["floor-lamps"] == ["home", "lamps", "floor-lamps"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"{", "cannot be read"),
        (b"5", "holds no list of categories"),
        (b"[5]", "holds no list of categories"),
        (b'[{"name": "x"}]', "neither a slug nor an id and a path"),
        (b'[{"id": "x", "path": [5]}]', "neither a slug nor an id and a path"),
        (b"\x1f\x8bnothing", "categories.json"),
        (gzip.compress(b"[]" * 99, mtime=0)[:-9], "cannot be read"),
        (b"\xff\xfe[", "cannot be read"),
    ],
)
def test_a_file_of_no_known_format_is_refused(content: bytes, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "categories.json"
    path.write_bytes(content)
    lines, error = refused(path)
    assert (lines, error.returncode) == ([], 2)
    assert fault in str(error)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "No such file" in str(refused(tmp_path / "nothing.json")[1])


def test_export_then_import_changes_nothing(
    file: Callable[[Any], Path], make_category: Callable[..., CategoryRow], tmp_path: Path
) -> None:
    import_file(file(OWN))
    make_category("cafe", name="Caf\u00e9 & \u2028 \U0001f600", position=3)
    before = list(collection(Category).find({}))
    call_command("export_categories", str(tmp_path / "all.jsonl"), stderr=StringIO())
    assert import_file(tmp_path / "all.jsonl") == "0 created, 0 updated, 4 unchanged, 0 faulty.\n"
    assert list(collection(Category).find({})) == before


@pytest.mark.skipif(not REAL.exists(), reason="the real data sets are not beside the project")
def test_the_real_tree_comes_in_with_every_path_and_a_product_is_found_through_each_ancestor(
    make_product: Callable[..., ProductRow], anyone: ApiClient, tmp_path: Path
) -> None:
    items = json.loads(gzip.decompress(REAL.read_bytes()))
    assert len(items) == 4_584
    expected = {item["id"]: [step["id"] for step in item["path"]] for item in items}
    only_in_paths = {
        step["id"]: [above["id"] for above in item["path"][: depth + 1]]
        for item in items
        for depth, step in enumerate(item["path"])
        if step["id"] not in expected
    }
    assert len(only_in_paths) == 139

    begun = process_time()
    report = import_file(REAL)
    assert process_time() - begun < (10 if uses_embedded_store() else 60)
    assert report.endswith("4723 created, 0 updated, 0 unchanged, 0 faulty.\n")
    assert paths() == {**only_in_paths, **expected}
    stored = {row["slug"]: row["name"] for row in collection(Category).find({})}
    assert all(stored[i["id"]] == (i["name"] or i["id"]).strip() for i in items)

    above = {slug for path in expected.values() for slug in path[:-1]}
    leaves = [path for slug, path in sorted(expected.items()) if slug not in above]
    chosen = [max(leaves, key=len), *random.Random(2026).sample(leaves, k=20)]
    for path in chosen:
        product = str(make_product(category=path[-1])["_id"])
        for slug in path:
            for address in (f"/products/?category={slug}", f"/categories/{slug}/products?"):
                newest = anyone.get(f"{address}&limit=1&fields=id")["items"]
                assert newest == [{"id": product}], (slug, path)
        shown = anyone.get(f"/categories/{path[-1]}")["path"]
        assert shown == [{"slug": slug, "name": stored[slug]} for slug in path]

    assert "0 created, 0 updated, 4723 unchanged, 0 faulty." in import_file(REAL)
    call_command("export_categories", str(tmp_path / "all.jsonl"), stderr=StringIO())
    assert "4723 unchanged" in import_file(tmp_path / "all.jsonl")
