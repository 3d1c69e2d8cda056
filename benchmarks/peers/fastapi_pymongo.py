"""P: FastAPI with PyMongo's own asynchronous client, and guarded updates written by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

from bson import ObjectId
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from pymongo import AsyncMongoClient, ReturnDocument

from benchmarks.peers.shop import DATABASE, MONGODB_URI, PAGE, user_id_of


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
    product_id: str
    quantity: int


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
    if row is None:
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
    db, wanted = app.state.db, _object_id(item.product_id)
    mine = {"_id": _object_id(cart_id), "user_id": user["_id"]}
    cart = await db.carts.find_one(mine)
    if cart is None:
        raise HTTPException(404)
    ids = {line["product_id"] for line in cart["items"]} | {wanted}
    products = {p["_id"]: p async for p in db.products.find({"_id": {"$in": list(ids)}})}
    held = next((x["quantity"] for x in cart["items"] if x["product_id"] == wanted), 0)
    if wanted not in products or products[wanted]["quantity"] < held + item.quantity:
        raise HTTPException(409)
    if held:
        guard = {**mine, "items.product_id": wanted}
        change = {"$inc": {"items.$.quantity": item.quantity, "version": 1}}
    else:
        guard = {**mine, "items.product_id": {"$ne": wanted}}
        line = {"product_id": wanted, "quantity": item.quantity}
        change = {"$push": {"items": line}, "$inc": {"version": 1}}
    cart = await db.carts.find_one_and_update(guard, change, return_document=ReturnDocument.AFTER)
    if cart is None:
        raise HTTPException(409)
    lines = [
        {
            "product_id": str(line["product_id"]),
            "quantity": line["quantity"],
            "name": products[line["product_id"]]["name"],
            "unit_price": products[line["product_id"]]["price"],
            "line_total": round(products[line["product_id"]]["price"] * line["quantity"], 2),
        }
        for line in cart["items"]
    ]
    return {
        "id": str(cart["_id"]),
        "user_id": str(cart["user_id"]),
        "items": lines,
        "total_quantity": sum(line["quantity"] for line in lines),
        "subtotal": round(sum(line["line_total"] for line in lines), 2),
        "version": cart["version"],
    }
