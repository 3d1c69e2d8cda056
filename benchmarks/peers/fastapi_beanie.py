"""F: FastAPI with Beanie, as Beanie's tutorial teaches: documents are the response models."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from beanie import Document, PydanticObjectId, init_beanie
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import BaseModel, ConfigDict, Field
from pymongo import AsyncMongoClient

from benchmarks.peers.shop import (
    DATABASE,
    LIFETIME,
    MAX_LINES,
    MAX_QUANTITY,
    MONGODB_URI,
    PAGE,
    sign,
    user_id_of,
)

hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
DUMMY_HASH = hasher.hash("dummypassword")
"""Verified for a user who is not there, as FastAPI's tutorial does: how long an answer takes must
not say whether there is one."""


class Image(BaseModel):
    url: str
    alt: str


class Product(Document):
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
    images: list[Image] = []
    attributes: dict[str, Any] = {}
    related_ids: list[PydanticObjectId] = []
    status: str
    version: int
    created_at: datetime
    updated_at: datetime

    class Settings:
        name = "products"


class User(Document):
    username: str
    hashed_password: str
    is_active: bool

    class Settings:
        name = "users"


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")
    product_id: PydanticObjectId
    quantity: int = Field(ge=1, le=MAX_QUANTITY, strict=True)


class Line(BaseModel):
    product_id: PydanticObjectId
    quantity: int
    name_at_add: str
    price_at_add: float
    added_at: datetime


class Cart(Document):
    user_id: PydanticObjectId
    items: list[Line] = []
    version: int = 1
    expires_at: datetime
    updated_at: datetime

    class Settings:
        name = "carts"


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    client: AsyncMongoClient[Any] = AsyncMongoClient(MONGODB_URI)
    await init_beanie(
        database=client[DATABASE], document_models=[Product, User, Cart], skip_indexes=True
    )
    yield
    await client.close()


app = FastAPI(lifespan=lifespan)


async def current_user(authorization: Annotated[str, Header()] = "") -> User:
    user_id = user_id_of(authorization)
    user = await User.get(PydanticObjectId(user_id)) if user_id else None
    if user is None or not user.is_active:
        raise HTTPException(401)
    return user


@app.get("/products/{product_id}")
async def read_product(product_id: PydanticObjectId) -> Product:
    product = await Product.get(product_id)
    if product is None or product.status != "active":
        raise HTTPException(404)
    return product


@app.get("/products/")
async def list_products(after: PydanticObjectId | None = None) -> list[Product]:
    where = {"status": "active", **({"_id": {"$lt": after}} if after else {})}
    return await Product.find(where).sort("-_id").limit(PAGE).to_list()


@app.post("/shopping-carts/{cart_id}/items")
async def add_item(
    cart_id: PydanticObjectId, item: Item, user: Annotated[User, Depends(current_user)]
) -> dict[str, Any]:
    now = datetime.now(UTC)
    mine = {"_id": cart_id, "user_id": user.id, "expires_at": {"$gt": now}}
    cart = await Cart.find_one(mine)
    if cart is None:
        raise HTTPException(404)
    ids = {line.product_id for line in cart.items} | {item.product_id}
    products = {p.id: p for p in await Product.find({"_id": {"$in": list(ids)}}).to_list()}
    product = products.get(item.product_id)
    if product is None or product.status != "active":
        raise HTTPException(404)
    line = next((line for line in cart.items if line.product_id == item.product_id), None)
    if line is None:
        line = Line(
            product_id=item.product_id, quantity=0, name_at_add=product.name,
            price_at_add=product.price, added_at=now,
        )  # fmt: skip
        cart.items.append(line)
    line.quantity += item.quantity
    if line.quantity > min(product.quantity, MAX_QUANTITY) or len(cart.items) > MAX_LINES:
        raise HTTPException(409)
    cart.version += 1
    cart.updated_at, cart.expires_at = now, now + LIFETIME
    await cart.save()
    lines = [_shown(line, products[line.product_id]) for line in cart.items]
    return {
        "id": str(cart.id),
        "user_id": str(cart.user_id),
        "items": lines,
        "total_quantity": sum(line.quantity for line in cart.items),
        "subtotal": round(sum(line["line_total"] for line in lines), 2),
        "version": cart.version,
        "expires_at": cart.expires_at,
        "updated_at": cart.updated_at,
    }


def _shown(line: Line, product: Product) -> dict[str, Any]:
    return {
        "product_id": str(line.product_id),
        "quantity": line.quantity,
        "name": product.name,
        "unit_price": product.price,
        "line_total": round(product.price * line.quantity, 2),
        "price_at_add": line.price_at_add,
        "price_changed": product.price != line.price_at_add,
        "available": product.status == "active",
        "enough": product.quantity >= line.quantity,
    }


@app.post("/token")
async def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    user = await User.find_one({"username": form.username})
    try:
        hasher.verify(user.hashed_password if user else DUMMY_HASH, form.password)
    except VerifyMismatchError:
        raise HTTPException(400) from None
    if user is None or not user.is_active:
        raise HTTPException(400)
    return {"access_token": sign(str(user.id)), "token_type": "bearer"}
