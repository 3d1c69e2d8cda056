"""P: FastAPI with PyMongo's own asynchronous client, and guarded updates written by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from bson import ObjectId
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from pymongo import AsyncMongoClient, ReturnDocument

from benchmarks.peers.shop import (
    DATABASE,
    LIFETIME,
    MAX_LINES,
    MAX_QUANTITY,
    MONGODB_URI,
    OBJECT_ID,
    PAGE,
    user_id_of,
)

SHOWN_IN_CARTS = dict.fromkeys(("name", "price", "quantity", "status"), 1)


class Product(BaseModel):
    id: str
    name: str
    description: str
    price: float
    currency: str
    quantity: int
    sku: str | None = None
    slug: str | None = None
    brand: str | None = None
    category: str | None = None
    tags: list[str] = []
    images: list[dict[str, str]] = []
    attributes: dict[str, Any] = {}
    related_ids: list[str] = []
    status: str
    version: int
    created_at: datetime
    updated_at: datetime


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    product_id: str = Field(pattern=OBJECT_ID)
    quantity: int = Field(ge=1, le=MAX_QUANTITY)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    client: AsyncMongoClient[Any] = AsyncMongoClient(MONGODB_URI)
    app.state.db = client[DATABASE]
    yield
    await client.close()


app = FastAPI(lifespan=lifespan)


def _object_id(text: str) -> ObjectId:
    if not ObjectId.is_valid(text):
        raise HTTPException(404)
    return ObjectId(text)


async def current_user(authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
    user_id = user_id_of(authorization)
    user = await app.state.db.users.find_one({"_id": _object_id(user_id)}) if user_id else None
    if user is None or not user["is_active"]:
        raise HTTPException(401)
    return user


@app.get("/products/{product_id}")
async def read_product(product_id: str) -> Product:
    row = await app.state.db.products.find_one({"_id": _object_id(product_id)})
    if row is None or row["status"] != "active":
        raise HTTPException(404)
    return Product(id=str(row.pop("_id")), **row)


@app.get("/products/")
async def list_products(after: str | None = None) -> list[Product]:
    where = {"status": "active", **({"_id": {"$lt": _object_id(after)}} if after else {})}
    rows = app.state.db.products.find(where).sort("_id", -1).limit(PAGE)
    return [Product(id=str(row.pop("_id")), **row) async for row in rows]


@app.post("/shopping-carts/{cart_id}/items")
async def add_item(
    cart_id: str, item: Item, user: Annotated[dict[str, Any], Depends(current_user)]
) -> dict[str, Any]:
    db, wanted, now = app.state.db, _object_id(item.product_id), datetime.now(UTC)
    mine = {"_id": _object_id(cart_id), "user_id": user["_id"], "expires_at": {"$gt": now}}
    cart = await db.carts.find_one(mine)
    if cart is None:
        raise HTTPException(404)
    ids = {line["product_id"] for line in cart["items"]} | {wanted}
    found = db.products.find({"_id": {"$in": list(ids)}}, SHOWN_IN_CARTS)
    products = {product["_id"]: product async for product in found}
    product = products.get(wanted)
    if product is None or product["status"] != "active":
        raise HTTPException(404)
    room = min(product["quantity"], MAX_QUANTITY) - item.quantity
    times = {"updated_at": now, "expires_at": now + LIFETIME}
    if any(line["product_id"] == wanted for line in cart["items"]):
        too_full = {"product_id": wanted, "quantity": {"$gt": room}}
        guard = {"items.product_id": wanted, "$nor": [{"items": {"$elemMatch": too_full}}]}
        change = {"$inc": {"items.$.quantity": item.quantity, "version": 1}, "$set": times}
    else:
        if room < 0:
            raise HTTPException(409)
        guard = {"items.product_id": {"$ne": wanted}, f"items.{MAX_LINES - 1}": {"$exists": False}}
        line = {
            "product_id": wanted, "quantity": item.quantity, "name_at_add": product["name"],
            "price_at_add": product["price"], "added_at": now,
        }  # fmt: skip
        change = {"$push": {"items": line}, "$inc": {"version": 1}, "$set": times}
    cart = await db.carts.find_one_and_update(
        {**mine, **guard}, change, return_document=ReturnDocument.AFTER
    )
    if cart is None:
        raise HTTPException(409)
    lines = [_shown(line, products[line["product_id"]]) for line in cart["items"]]
    return {
        "id": str(cart["_id"]),
        "user_id": str(cart["user_id"]),
        "items": lines,
        "total_quantity": sum(line["quantity"] for line in lines),
        "subtotal": round(sum(line["line_total"] for line in lines), 2),
        "version": cart["version"],
        "expires_at": cart["expires_at"],
        "updated_at": cart["updated_at"],
    }


def _shown(line: dict[str, Any], product: dict[str, Any]) -> dict[str, Any]:
    return {
        "product_id": str(line["product_id"]),
        "quantity": line["quantity"],
        "name": product["name"],
        "unit_price": product["price"],
        "line_total": round(product["price"] * line["quantity"], 2),
        "price_at_add": line["price_at_add"],
        "price_changed": product["price"] != line["price_at_add"],
        "available": product["status"] == "active",
        "enough": product["quantity"] >= line["quantity"],
    }
