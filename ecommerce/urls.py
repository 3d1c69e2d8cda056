"""Every route of the product."""

from django.conf import settings
from django.urls import include, path, re_path
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from ecommerce.core.health import livez, readyz
from ecommerce.core.rate_limits import unlimited
from ecommerce.core.routers import routes_of
from ecommerce.documentation import DocsView, OpenAPIView, RedocView
from ecommerce.landing import landing_page

urlpatterns = [
    # The resolver tries one after the other: what is called most stands first.
    routes_of("catalog.urls", "products", "categories"),
    routes_of("carts.urls", "shopping-carts"),
    routes_of("accounts.urls", "users", "token", "password-reset", "audit-events"),
    path("", landing_page, name="landing"),
    re_path(r"^openapi\.json/?$", OpenAPIView.as_view(), name="openapi"),
    re_path(r"^docs/?$", DocsView.as_view(url_name="openapi"), name="docs"),
    re_path(r"^redoc/?$", RedocView.as_view(url_name="openapi"), name="redoc"),
    re_path(r"^livez/?$", livez, name="livez"),
    re_path(r"^readyz/?$", readyz, name="readyz"),
    re_path(r"^metrics/?$", unlimited(require_safe(ExportToDjangoView)), name="metrics"),
]
if settings.BROWSABLE_API:
    urlpatterns.append(path("auth/", include("accounts.browsable_urls")))

handler400 = "ecommerce.core.problems.bad_request"
handler403 = "ecommerce.core.problems.permission_denied"
handler404 = "ecommerce.core.problems.not_found"
handler500 = "ecommerce.core.problems.server_error"
