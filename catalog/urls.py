"""Routes of the catalog; each answers with and without its trailing slash."""

from catalog.views import CategoryViewSet, ProductViewSet
from ecommerce.core.routers import OptionalSlashRouter

router = OptionalSlashRouter()
router.register("products", ProductViewSet, basename="product")
router.register("categories", CategoryViewSet, basename="category")

urlpatterns = router.urls
