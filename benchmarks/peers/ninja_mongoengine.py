"""django-ninja over MongoEngine: pydantic schemas out, as its tutorial teaches."""

from datetime import datetime
from typing import Any

import django
from django.conf import settings

from benchmarks.peers.shop import PAGE, SECRET

settings.configure(
    SECRET_KEY=SECRET,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={},
    INSTALLED_APPS=["ninja"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    USE_TZ=True,
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import Http404, HttpRequest  # noqa: E402
from django.urls import path  # noqa: E402
from mongoengine.errors import DoesNotExist, ValidationError  # noqa: E402
from ninja import NinjaAPI, Schema  # noqa: E402
from pydantic import field_validator  # noqa: E402

from benchmarks.peers.mongo_documents import Product  # noqa: E402


class ImageOut(Schema):
    url: str
    alt: str


class ProductOut(Schema):
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
    tags: list[str]
    images: list[ImageOut]
    attributes: dict[str, Any]
    related_ids: list[str]
    status: str
    version: int
    created_at: datetime
    updated_at: datetime

    @field_validator("id", mode="before")
    @classmethod
    def _id_as_text(cls, value: Any) -> str:
        return str(value)

    @field_validator("related_ids", mode="before")
    @classmethod
    def _ids_as_text(cls, values: Any) -> list[str]:
        return [str(value) for value in values]


api = NinjaAPI()


@api.get("/products/{product_id}", response=ProductOut)
def read_product(request: HttpRequest, product_id: str) -> Product:
    try:
        product = Product.objects.get(id=product_id)
    except (DoesNotExist, ValidationError):
        raise Http404 from None
    if product.status != "active":
        raise Http404
    return product


@api.get("/products/", response=list[ProductOut])
def list_products(request: HttpRequest, after: str | None = None) -> Any:
    found = Product.objects(status="active")
    if after:
        found = found.filter(id__lt=after)
    return list(found.order_by("-id")[:PAGE])


urlpatterns = [path("", api.urls)]
application = get_wsgi_application()
