"""The data that every server of a run reads: the same products, users and carts, in our form and
in the form that the peers' documentation teaches."""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import django
from bson import ObjectId
from pymongo import MongoClient

from benchmarks.peers.shop import DATABASE, sign

PRODUCTS: Final = 10_000
USERS: Final = 64
PASSWORD: Final = "correct-horse-9"
_BATCH: Final = 1_000


@dataclass(frozen=True)
class Shopper:
    """A user with a cart, known to our server and to the peers."""

    username: str
    our_token: str
    peer_token: str
    cart_id: str


@dataclass(frozen=True)
class Dataset:
    """What the workloads ask for."""

    product_ids: list[str]
    """By age, the newest first: the order of the list."""
    shoppers: list[Shopper]


def fill(uri: str) -> Dataset:
    """Seed 10,000 products and some users, ours by our own services.

    Args:
        uri: a MongoDB whose database `bench_ours` and `bench_peers` are emptied.
    """
    os.environ.update(MONGODB_URI=f"{uri}/bench_ours", DJANGO_SETTINGS_MODULE="benchmarks.settings")
    client: MongoClient[dict[str, Any]] = MongoClient(uri)
    for name in ("bench_ours", DATABASE):
        client.drop_database(name)
    django.setup()

    from demo.seeding import seed_products
    from ecommerce.core.indexes import ensure_indexes

    ensure_indexes()
    seed_products(PRODUCTS, seed=1)
    ours, theirs = client["bench_ours"], client[DATABASE]
    ours.products.update_many({}, {"$set": {"quantity": 10**8, "in_stock": True}})
    _copy(ours, theirs)
    rows = ours.products.find({}, {"_id": 1}).sort([("_id", -1)])
    return Dataset([str(row["_id"]) for row in rows], list(_shoppers(theirs)))


def _copy(ours: Any, theirs: Any) -> None:
    rows = [_as_peers_store_it(row) for row in ours.products.find()]
    for start in range(0, len(rows), _BATCH):
        theirs.products.insert_many(rows[start : start + _BATCH])
    theirs.products.create_index([("status", 1), ("_id", -1)])
    theirs.users.create_index("username", unique=True)


def _as_peers_store_it(row: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "_id", "name", "description", "currency", "quantity", "sku", "slug", "brand", "category",
        "tags", "status", "version", "created_at", "updated_at",
    )  # fmt: skip
    more = {"price": row["price_minor"] / 100, "images": [], "attributes": {}, "related_ids": []}
    return {**{name: row[name] for name in kept}, **more}


def _shoppers(theirs: Any) -> Iterator[Shopper]:
    from accounts.documents import User
    from accounts.services import TokenService, UserService
    from carts.documents import ShoppingCart
    from ecommerce.core.mongo import collection, insert

    first = UserService.register(username="shopper0", email="s0@example.com", password=PASSWORD)
    for number in range(USERS):
        name = f"shopper{number}"
        row = {**first}
        if number:
            row |= {"_id": ObjectId(), "username": name, "username_key": name}
            row |= {"email": f"s{number}@example.com", "email_key": f"s{number}@example.com"}
            collection(User).insert_one(dict(row))
        cart = ObjectId()
        insert(ShoppingCart(id=cart, user_id=row["_id"], items=[]))
        theirs.users.insert_one(
            {
                "_id": row["_id"],
                "username": name,
                "hashed_password": str(row["hashed_password"]).removeprefix("argon2"),
                "is_active": True,
            }
        )
        theirs.carts.insert_one({"_id": cart, "user_id": row["_id"], "items": [], "version": 1})
        pair = TokenService.issue(user=row)  # type: ignore[arg-type]
        yield Shopper(name, pair.access_token, sign(str(row["_id"])), str(cart))


def zipf(ids: list[str], count: int, *, seed: int) -> list[str]:
    """`count` ids as shoppers ask for them: the k-th most popular with probability ~ 1/k."""
    chance = random.Random(seed)
    popular = ids.copy()
    chance.shuffle(popular)
    weights = [1 / rank for rank in range(1, len(popular) + 1)]
    return chance.choices(popular, weights, k=count)
