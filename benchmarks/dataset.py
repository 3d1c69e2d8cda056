"""The data that every server of a run reads: the same products, users and carts, in our form and
in the form that the peers' documentation teaches."""

import os
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import django
from bson import ObjectId
from pymongo import MongoClient

from benchmarks.catalogs import PRODUCTS
from benchmarks.peers.shop import DATABASE, sign

USERS: Final = 64
PASSWORD: Final = "correct-horse-9"
_BATCH: Final = 1_000
_SETTLED_SECONDS: Final = 0.3
"""So long an add that is under way may take."""


@dataclass(frozen=True)
class Shopper:
    """A user with a cart, known to our server and to the peers."""

    username: str
    our_token: str
    peer_token: str
    carts: dict[int, str]
    """Their carts by the number of lines that the workload puts into each."""


@dataclass(frozen=True)
class Dataset:
    """What the workloads ask for."""

    product_ids: list[str]
    """By age, the newest first: the order of the list."""
    shoppers: list[Shopper]
    draft_id: str
    """Of a product that is not for sale: nobody who asks for it may get it."""
    cursors: dict[int, str]
    """Addresses of pages far into our list, by their number."""

    def empty_lines(self, uri: str) -> None:
        """Set every line of every cart back to one piece: a line of ours holds 999 at most.

        After the adds that were under way when a load ended: they write what they read before.
        """
        time.sleep(_SETTLED_SECONDS)
        client: MongoClient[dict[str, Any]] = MongoClient(uri)
        for database, name in (("bench_ours", "shopping_carts"), (DATABASE, "carts")):
            client[database][name].update_many({}, {"$set": {"items.$[].quantity": 1}})
        client.close()

    def page(self, number: int) -> str:
        """The address of one of our pages."""
        return self.cursors[number]


def fill(uri: str, *, products: int = PRODUCTS, pages: Sequence[int] = (500,)) -> Dataset:
    """Seed products and some users, ours by our own services.

    Args:
        uri: a MongoDB whose database `bench_ours` and `bench_peers` are emptied.
        products: how many.
        pages: numbers of pages of the list, of 20, whose addresses are wanted.
    """
    os.environ.update(MONGODB_URI=f"{uri}/bench_ours", DJANGO_SETTINGS_MODULE="benchmarks.settings")
    client: MongoClient[dict[str, Any]] = MongoClient(uri)
    for name in ("bench_ours", DATABASE):
        client.drop_database(name)
    django.setup()

    from demo.seeding import seed_products
    from ecommerce.core.indexes import ensure_indexes

    ensure_indexes()
    seed_products(products, seed=1)
    ours, theirs = client["bench_ours"], client[DATABASE]
    ours.products.update_many({}, {"$set": {"quantity": 10**8, "in_stock": True}})
    draft_id = _draft(ours)
    _copy(ours, theirs)
    rows = ours.products.find({"status": "active"}, {"_id": 1}).sort([("_id", -1)])
    ids = [str(row["_id"]) for row in rows]
    shoppers = list(_shoppers(theirs, ids))
    return Dataset(ids, shoppers, draft_id, {n: _page_address(n) for n in pages})


def _draft(ours: Any) -> str:
    """One more product, older than all others, that is not for sale."""
    unique = {"sku": "BENCH-DRAFT", "slug": "bench-draft", "skus": ["BENCH-DRAFT"]}
    oldest = ObjectId("0" * 24)
    ours.products.insert_one(
        {**ours.products.find_one(), **unique, "_id": oldest, "status": "draft"}
    )
    return str(oldest)


def _page_address(number: int) -> str:
    """As a client finds it: by following `next`, a hundred rows at a time where it may."""
    from django.test import Client

    client, address = Client(SERVER_NAME="127.0.0.1"), "/products/?limit=20"
    hundreds, twenties = divmod(number - 1, 100 // 20)
    for rows in [100] * hundreds + [20] * twenties:
        answer = client.get(re.sub(r"limit=\d+", f"limit={rows}", address)).json()
        address = answer["next"].partition("127.0.0.1")[2]
    return re.sub(r"limit=\d+", "limit=20", address)


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


_LINES: Final = (1, 10, 100)


def _shoppers(theirs: Any, product_ids: list[str]) -> Iterator[Shopper]:
    from accounts.documents import User
    from accounts.services import TokenService, UserService
    from ecommerce.core.mongo import collection

    first = UserService.register(username="shopper0", email="s0@example.com", password=PASSWORD)
    for number in range(USERS):
        name = f"shopper{number}"
        row = {**first}
        if number:
            row |= {"_id": ObjectId(), "username": name, "username_key": name}
            row |= {"email": f"s{number}@example.com", "email_key": f"s{number}@example.com"}
            collection(User).insert_one(dict(row))
        theirs.users.insert_one(
            {
                "_id": row["_id"],
                "username": name,
                "hashed_password": str(row["hashed_password"]).removeprefix("argon2"),
                "is_active": True,
            }
        )
        carts = {
            lines: _cart(theirs, ObjectId(str(row["_id"])), product_ids[:lines]) for lines in _LINES
        }
        pair = TokenService.issue(user=row)  # type: ignore[arg-type]
        yield Shopper(name, pair.access_token, sign(str(row["_id"])), carts)


def _cart(theirs: Any, user_id: ObjectId, product_ids: list[str]) -> str:
    """A cart of ours with a line for each product, and its twin among the peers' carts."""
    from accounts.principal import Principal
    from accounts.roles import Role
    from carts.services import Item, ShoppingCartService
    from carts.shopper import Shopper as Caller
    from ecommerce.core.idempotency import Operation

    caller = Caller(Principal(user_id, "", Role.CUSTOMER))
    items = [Item(product_id=product, quantity=1) for product in product_ids]
    made, _ = ShoppingCartService.create(shopper=caller, operation=Operation.unkeyed(), items=items)
    cart = made.row["_id"]
    lines = [
        {
            **{name: line[name] for name in ("product_id", "quantity", "name_at_add", "added_at")},
            "price_at_add": line["price_at_add_minor"] / 100,
        }
        for line in made.row["items"]
    ]
    times = {name: made.row[name] for name in ("expires_at", "updated_at")}
    theirs.carts.insert_one(
        {"_id": cart, "user_id": user_id, "items": lines, "version": 1, **times}
    )
    return str(cart)


def zipf(ids: list[str], count: int, *, seed: int) -> list[str]:
    """`count` ids as shoppers ask for them: the k-th most popular with probability ~ 1/k."""
    chance = random.Random(seed)
    popular = ids.copy()
    chance.shuffle(popular)
    weights = [1 / rank for rank in range(1, len(popular) + 1)]
    return chance.choices(popular, weights, k=count)
