"""Routes of carts; each answers with and without its trailing slash."""

from rest_framework.routers import SimpleRouter

from carts.views import ShoppingCartViewSet

router = SimpleRouter(trailing_slash="/?")
router.register("shopping-carts", ShoppingCartViewSet, basename="shopping-cart")

urlpatterns = router.urls
