"""D: Django REST Framework over MongoEngine, serializers in and out as DRF's tutorial teaches."""

from datetime import UTC, datetime
from typing import Any

import django
from bson import ObjectId
from django.conf import settings

from benchmarks.peers.shop import (
    LIFETIME,
    MAX_LINES,
    MAX_QUANTITY,
    OBJECT_ID,
    PAGE,
    SECRET,
    user_id_of,
)

settings.configure(
    SECRET_KEY=SECRET,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    USE_TZ=True,
    REST_FRAMEWORK={"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]},
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402
from mongoengine.errors import DoesNotExist, ValidationError  # noqa: E402
from rest_framework import exceptions, serializers, viewsets  # noqa: E402
from rest_framework.authentication import BaseAuthentication  # noqa: E402
from rest_framework.decorators import action  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.routers import DefaultRouter  # noqa: E402

from benchmarks.peers.mongo_documents import Cart, Line, Product, User  # noqa: E402


class ImageSerializer(serializers.Serializer[Any]):
    url = serializers.CharField()
    alt = serializers.CharField()


class ProductSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    price = serializers.FloatField()
    currency = serializers.CharField()
    quantity = serializers.IntegerField()
    sku = serializers.CharField()
    slug = serializers.CharField()
    brand = serializers.CharField()
    category = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    images = ImageSerializer(many=True)
    attributes = serializers.DictField()
    related_ids = serializers.ListField(child=serializers.CharField())
    status = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ItemSerializer(serializers.Serializer[Any]):
    product_id = serializers.RegexField(OBJECT_ID)
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY)

    def validate(self, values: Any) -> Any:
        if unknown := set(self.initial_data) - set(self.fields):
            raise serializers.ValidationError(dict.fromkeys(unknown, "Unknown field."))
        return values


class LineSerializer(serializers.Serializer[Any]):
    product_id = serializers.CharField()
    quantity = serializers.IntegerField()
    name = serializers.CharField()
    unit_price = serializers.FloatField()
    line_total = serializers.FloatField()
    price_at_add = serializers.FloatField()
    price_changed = serializers.BooleanField()
    available = serializers.BooleanField()
    enough = serializers.BooleanField()


class CartSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    user_id = serializers.CharField()
    items = LineSerializer(many=True)
    total_quantity = serializers.IntegerField()
    subtotal = serializers.FloatField()
    version = serializers.IntegerField()
    expires_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class Caller:
    is_authenticated = True

    def __init__(self, user: User) -> None:
        self.id = user.id


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        user_id = user_id_of(request.headers.get("Authorization", ""))
        if user_id is None:
            return None
        user = User.objects(id=user_id).first()
        if user is None or not user.is_active:
            raise exceptions.AuthenticationFailed
        return Caller(user), None


class ProductViewSet(viewsets.ViewSet):
    authentication_classes = ()
    permission_classes = ()

    def list(self, request: Request) -> Response:
        found = Product.objects(status="active")
        if after := request.query_params.get("after"):
            found = found.filter(id__lt=after)
        return Response(ProductSerializer(found.order_by("-id")[:PAGE], many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        try:
            product = Product.objects.get(id=pk)
        except (DoesNotExist, ValidationError):
            raise exceptions.NotFound from None
        if product.status != "active":
            raise exceptions.NotFound
        return Response(ProductSerializer(product).data)


class CartViewSet(viewsets.ViewSet):
    authentication_classes = (TokenAuthentication,)
    permission_classes = (IsAuthenticated,)

    @action(detail=True, methods=["post"])
    def items(self, request: Request, pk: str) -> Response:
        serializer = ItemSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        now = datetime.now(UTC)
        cart = Cart.objects(id=pk, user_id=request.user.id, expires_at__gt=now).first()
        if cart is None:
            raise exceptions.NotFound
        wanted = ObjectId(values["product_id"])
        ids = {line.product_id for line in cart.items} | {wanted}
        products = {p.id: p for p in Product.objects(id__in=list(ids))}
        product = products.get(wanted)
        if product is None or product.status != "active":
            raise exceptions.NotFound
        line = next((x for x in cart.items if x.product_id == wanted), None)
        if line is None:
            line = Line(
                product_id=wanted, quantity=0, name_at_add=product.name,
                price_at_add=product.price, added_at=now,
            )  # fmt: skip
            cart.items.append(line)
        line.quantity += values["quantity"]
        if line.quantity > min(product.quantity, MAX_QUANTITY) or len(cart.items) > MAX_LINES:
            raise exceptions.APIException(code=409)
        cart.version += 1
        cart.updated_at, cart.expires_at = now, now + LIFETIME
        cart.save()
        lines = [_shown(x, products[x.product_id]) for x in cart.items]
        answer = {
            "id": cart.id,
            "user_id": cart.user_id,
            "items": lines,
            "total_quantity": sum(x.quantity for x in cart.items),
            "subtotal": round(sum(x["line_total"] for x in lines), 2),
            "version": cart.version,
            "expires_at": cart.expires_at,
            "updated_at": cart.updated_at,
        }
        return Response(CartSerializer(answer).data)


def _shown(line: Line, product: Product) -> dict[str, Any]:
    return {
        "product_id": line.product_id,
        "quantity": line.quantity,
        "name": product.name,
        "unit_price": product.price,
        "line_total": round(product.price * line.quantity, 2),
        "price_at_add": line.price_at_add,
        "price_changed": product.price != line.price_at_add,
        "available": product.status == "active",
        "enough": product.quantity >= line.quantity,
    }


router = DefaultRouter()
router.trailing_slash = "/?"
router.register("products", ProductViewSet, basename="product")
router.register("shopping-carts", CartViewSet, basename="cart")
urlpatterns = [path("", include(router.urls))]
application = get_wsgi_application()
