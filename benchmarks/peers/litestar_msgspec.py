"""Litestar with msgspec structs over PyMongo's asynchronous client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec
from bson import ObjectId
from litestar import Litestar, get
from litestar.exceptions import NotFoundException
from pymongo import AsyncMongoClient

from benchmarks.peers.shop import DATABASE, MONGODB_URI, PAGE


class Product(msgspec.Struct):
    id: str
    name: str
    description: str
    price: float
    currency: str
    quantity: int
    status: str
    version: int
    created_at: datetime
    updated_at: datetime
    sku: str | None = None
    slug: str | None = None
    brand: str | None = None
    category: str | None = None
    tags: list[str] = []
    images: list[dict[str, str]] = []
    attributes: dict[str, Any] = {}
    related_ids: list[str] = []


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    client: AsyncMongoClient[Any] = AsyncMongoClient(MONGODB_URI)
    app.state.db = client[DATABASE]
    yield
    await client.close()


def _object_id(text: str) -> ObjectId:
    if not ObjectId.is_valid(text):
        raise NotFoundException
    return ObjectId(text)


@get("/products/{product_id:str}")
async def read_product(product_id: str) -> Product:
    row = await app.state.db.products.find_one({"_id": _object_id(product_id)})
    if row is None or row["status"] != "active":
        raise NotFoundException
    return Product(id=str(row.pop("_id")), **row)


@get("/products/")
async def list_products(after: str | None = None) -> list[Product]:
    where = {"status": "active", **({"_id": {"$lt": _object_id(after)}} if after else {})}
    rows = app.state.db.products.find(where).sort("_id", -1).limit(PAGE)
    return [Product(id=str(row.pop("_id")), **row) async for row in rows]


app = Litestar([read_product, list_products], lifespan=[lifespan])
