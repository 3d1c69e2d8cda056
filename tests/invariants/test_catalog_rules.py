"""Each rule of the catalog: what breaks it is reported by it alone, and mended where it is safe."""

from datetime import timedelta
from typing import Any, Final

import pytest
from bson import ObjectId

from catalog.documents import (
    Category,
    CategoryTree,
    ImportChunk,
    ImportJob,
    ImportResult,
    Product,
    StockMovement,
)
from catalog.documents.categories import TREE_ID
from catalog.services.derived import search_fields
from catalog.services.stock import MAX_STOCK
from ecommerce.core.money import MAX_MINOR
from ecommerce.core.mongo import collection, utc_now
from tests.invariants.shop import Breakage, Shop, broken, check, drop, put, stored


def product(product_id: ObjectId) -> dict[str, Any]:
    return stored(Product, product_id) or {}


def same_sku_twice(shop: Shop) -> str:
    row = product(shop.shirt)
    row["variants"][1]["sku"] = row["variants"][0]["sku"]
    return put(Product, shop.shirt, variants=row["variants"], **search_fields(row))


def left_behind(shop: Shop, age: timedelta = timedelta(minutes=2)) -> str:
    """A movement in its product."""
    movement = {
        "_id": ObjectId("b" * 24), "product_id": shop.lamp, "delta": 1, "reason": "found",
        "by": shop.alice, "created_at": utc_now() - age,
    }  # fmt: skip
    return put(Product, shop.lamp, unfiled_movements=[movement])


def is_filed(shop: Shop) -> bool:
    filed = stored(StockMovement, ObjectId("b" * 24)) or {}
    return bool(filed["reason"] == "found" and product(shop.lamp)["unfiled_movements"] == [])


def below_nothing(shop: Shop) -> str:
    path = ["attic", "lighting"]
    put(Product, shop.lamp, category_path=path)
    return put(Category, shop.lighting, parent="attic", path=path, path_key="attic/lighting")


def renamed_halfway(shop: Shop) -> str:
    intent = {
        "kind": "change", "slug": "lighting", "path": ["home", "lighting"],
        "values": {"name": "Light"},
    }  # fmt: skip
    collection(CategoryTree).update_one({}, {"$inc": {"version": 1}})
    return put(CategoryTree, TREE_ID, intent=intent)


def file_lost(shop: Shop) -> str:
    row = stored(ImportJob, shop.waiting_job) or {}
    collection(ImportChunk).delete_many({"file_id": row["file_id"]})
    return str(shop.waiting_job)


def file_left(shop: Shop) -> str:
    piece = {"_id": ObjectId(), "file_id": ObjectId(), "number": 0, "data": b"x"}
    piece["created_at"] = utc_now() - timedelta(hours=2)
    collection(ImportChunk).insert_one(piece)
    return str(piece["_id"])


def result(shop: Shop) -> Any:
    return (collection(ImportResult).find_one({"job_id": shop.job}) or {})["_id"]


def waiting(shop: Shop) -> dict[str, Any]:
    return stored(ImportJob, shop.waiting_job) or {}


PRODUCTS: Final = [
    Breakage(
        "products.search",
        "another name",
        lambda shop: put(Product, shop.lamp, name="Lantern"),
        lambda shop: (
            product(shop.lamp)["name_key"] == "lantern" and "lantern" in product(shop.lamp)["keys"]
        ),
    ),
    Breakage(
        "products.search",
        "skus that are missing",
        lambda shop: drop(Product, shop.shirt, "skus"),
        lambda shop: product(shop.shirt)["skus"] == ["S-M", "S-L"],
    ),
    Breakage(
        "products.search",
        "keys of a deleted one",
        lambda shop: put(Product, shop.gone, keys=["x"]),
        lambda shop: "sku:g-1" in product(shop.gone)["keys"],
    ),
    Breakage(
        "products.free",
        "a sku that nobody else can have",
        lambda shop: put(Product, shop.gone, skus=["G-1"]),
        lambda shop: "skus" not in product(shop.gone),
    ),
    Breakage(
        "products.stock",
        "in_stock",
        lambda shop: put(Product, shop.lamp, in_stock=False),
        lambda shop: product(shop.lamp)["in_stock"] is True,
    ),
    Breakage(
        "products.stock",
        "not the sum",
        lambda shop: put(Product, shop.shirt, quantity=3),
        lambda shop: product(shop.shirt)["quantity"] == 10,
    ),
    Breakage(
        "products.stock",
        "more than there can be",
        lambda shop: put(Product, shop.lamp, quantity=MAX_STOCK + 1),
    ),
    Breakage(
        "products.money", "another currency", lambda shop: put(Product, shop.lamp, currency="XXX")
    ),
    Breakage(
        "products.money",
        "too high",
        lambda shop: put(Product, shop.shirt, variants__1__price_minor=MAX_MINOR + 1),
    ),
    Breakage("products.variants", "one sku twice", same_sku_twice),
    Breakage(
        "products.lengths",
        "too many images",
        lambda shop: put(Product, shop.lamp, images=[{"url": "https://x.test/", "alt": ""}] * 51),
    ),
    Breakage(
        "products.lengths",
        "too many attributes",
        lambda shop: put(
            Product, shop.lamp, attributes=[{"key": f"a{n}", "value": n} for n in range(101)]
        ),
    ),
    Breakage(
        "products.lengths",
        "too many fences",
        lambda shop: put(Product, shop.lamp, stock_fences=[ObjectId("c" * 24)] * 101),
    ),
    Breakage(
        "products.category",
        "another place",
        lambda shop: put(Product, shop.lamp, category_path=["lighting"]),
        lambda shop: product(shop.lamp)["category_path"] == ["home", "lighting"],
    ),
    Breakage(
        "products.category",
        "no such category",
        lambda shop: put(Product, shop.lamp, category="nowhere"),
        lambda shop: not {"category", "category_path", "tree_version"} & product(shop.lamp).keys(),
    ),
    Breakage(
        "products.category",
        "a place without a category",
        lambda shop: put(Product, shop.shirt, category_path=["home"]),
        lambda shop: "category_path" not in product(shop.shirt),
    ),
    Breakage("products.movements", "left in the product", left_behind, is_filed),
    Breakage(
        "stock_movements.moves", "nothing", lambda shop: put(StockMovement, shop.movement, delta=0)
    ),
]
CATEGORIES: Final = [
    Breakage(
        "categories.gone",
        "a parent of a deleted one",
        lambda shop: put(Category, shop.old_category, parent="home"),
    ),
    Breakage(
        "categories.gone",
        "no slug",
        lambda shop: drop(Category, shop.old_category, "former_slug"),
    ),
    Breakage("categories.path", "no parent", lambda shop: drop(Category, shop.lighting, "parent")),
    Breakage(
        "categories.path",
        "below what stands below it",
        lambda shop: put(
            Category,
            shop.home,
            parent="lighting",
            path=["home", "lighting", "home"],
            path_key="home/lighting/home",
        ),
        also={"categories.parent": lambda shop: shop.lighting},
    ),
    Breakage("categories.parent", "no such category", below_nothing),
    Breakage(
        "categories.order",
        "another path as text",
        lambda shop: put(Category, shop.lighting, path_key="x"),
        lambda shop: (stored(Category, shop.lighting) or {})["path_key"] == "home/lighting",
    ),
    Breakage(
        "categories.age",
        "ahead of the tree",
        lambda shop: put(Category, shop.lighting, tree_version=99),
    ),
    Breakage(
        "category_tree.settled",
        "a change that is left",
        renamed_halfway,
        lambda shop: (stored(Category, shop.lighting) or {})["name"] == "Light",
    ),
]
IMPORTS: Final = [
    Breakage(
        "import_jobs.lease",
        "held for a day",
        lambda shop: put(ImportJob, shop.waiting_job, lease_until=utc_now() + timedelta(days=1)),
        lambda shop: waiting(shop)["lease_until"] <= utc_now(),
    ),
    Breakage(
        "import_jobs.lease",
        "nobody has it",
        lambda shop: put(ImportJob, shop.waiting_job, state="running"),
    ),
    Breakage("import_jobs.counts", "the sum", lambda shop: put(ImportJob, shop.job, done=5)),
    Breakage(
        "import_jobs.counts", "more than there are", lambda shop: put(ImportJob, shop.job, total=0)
    ),
    Breakage("import_jobs.end", "no end", lambda shop: drop(ImportJob, shop.job, "finished_at")),
    Breakage("import_jobs.file", "lost", file_lost),
    Breakage(
        "import_chunks.needed",
        "of no import",
        file_left,
        lambda _: collection(ImportChunk).count_documents({}) == 1,
    ),
    Breakage(
        "import_results.row",
        "of another row",
        lambda shop: put(ImportResult, result(shop), number=9),
    ),
    Breakage(
        "import_results.outcome",
        "a fault of what went well",
        lambda shop: put(ImportResult, result(shop), errors=[{"code": "x"}]),
    ),
]
BREAKAGES: Final = [*PRODUCTS, *CATEGORIES, *IMPORTS]


@pytest.mark.parametrize("breakage", BREAKAGES, ids=str)
def test_what_breaks_a_rule_is_reported_by_it_and_mended_where_that_is_safe(
    breakage: Breakage, shop: Shop
) -> None:
    check(breakage, shop)


def test_a_movement_on_its_way_is_no_fault(shop: Shop) -> None:
    left_behind(shop, age=timedelta(seconds=10))
    assert broken() == {}


def test_a_file_that_is_just_coming_in_is_no_fault(shop: Shop) -> None:
    put(ImportChunk, ObjectId(file_left(shop)), created_at=utc_now())
    assert broken() == {}


def test_carts_may_name_products_that_were_purged(shop: Shop) -> None:
    collection(Product).delete_one({"_id": shop.lamp})
    assert broken() == {}


def test_a_repair_is_seen_in_public_answers(shop: Shop, alice: Any) -> None:
    put(Product, shop.lamp, in_stock=False)
    assert alice.api.get("/products/?in_stock=true&q=lamp")["items"] == []
    broken("--repair", "--yes")
    found = alice.api.get("/products/?in_stock=true&q=lamp")["items"]
    assert [one["id"] for one in found] == [str(shop.lamp)]
