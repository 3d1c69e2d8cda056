"""Routes of carts; each answers with and without its trailing slash."""

from carts.views import ShoppingCartViewSet
from ecommerce.core.routers import OptionalSlashRouter

router = OptionalSlashRouter()
router.register("shopping-carts", ShoppingCartViewSet, basename="shopping-cart")

urlpatterns = router.urls
