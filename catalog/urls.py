"""Routes of the catalog; each answers with and without its trailing slash."""

from rest_framework.routers import SimpleRouter

from catalog.views import ProductViewSet

router = SimpleRouter(trailing_slash="/?")
router.register("products", ProductViewSet, basename="product")

urlpatterns = router.urls
