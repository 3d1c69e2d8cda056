"""Routes of the catalog; each answers with and without its trailing slash."""

from catalog.views import CategoryViewSet, ExportViewSet, ImportViewSet, ProductViewSet
from ecommerce.core.routers import OptionalSlashRouter

router = OptionalSlashRouter()
router.register("products/imports", ImportViewSet, basename="product-import")
router.register("products/exports", ExportViewSet, basename="product-export")
router.register("products", ProductViewSet, basename="product")
router.register("categories", CategoryViewSet, basename="category")

urlpatterns = router.urls
