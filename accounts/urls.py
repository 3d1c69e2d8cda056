"""Routes of accounts; each answers with and without its trailing slash."""

from django.urls import re_path

from accounts.views import (
    AuditEventViewSet,
    EmailVerificationViewSet,
    ExportViewSet,
    OwnEmailViewSet,
    PasswordResetViewSet,
    PasswordViewSet,
    RevokeView,
    SessionViewSet,
    TokenView,
    UserViewSet,
)
from ecommerce.core.routers import OptionalSlashRouter

router = OptionalSlashRouter()
router.register("users", UserViewSet, basename="user")
router.register("audit-events", AuditEventViewSet, basename="audit-event")

urlpatterns = [
    re_path(r"^token/?$", TokenView.as_view(), name="token"),
    re_path(r"^token/revoke/?$", RevokeView.as_view(), name="token-revoke"),
    re_path(r"^users/me/export/?$", ExportViewSet.as_view({"get": "export"}), name="own-export"),
    re_path(
        r"^users/me/password/?$", PasswordViewSet.as_view({"post": "change"}), name="own-password"
    ),
    re_path(
        r"^users/me/verify-email/?$",
        OwnEmailViewSet.as_view({"post": "resend"}),
        name="own-email-verification",
    ),
    re_path(
        r"^users/verify-email/?$",
        EmailVerificationViewSet.as_view({"post": "verify"}),
        name="email-verification",
    ),
    re_path(
        r"^password-reset/?$", PasswordResetViewSet.as_view({"post": "ask"}), name="password-reset"
    ),
    re_path(
        r"^password-reset/confirm/?$",
        PasswordResetViewSet.as_view({"post": "confirm"}),
        name="password-reset-confirm",
    ),
    re_path(
        r"^users/(?P<pk>[^/]+)/sessions/?$",
        SessionViewSet.as_view({"get": "list", "delete": "destroy_all"}, detail=False),
        name="session-list",
    ),
    re_path(
        r"^users/(?P<pk>[^/]+)/sessions/(?P<session_id>[^/]+)/?$",
        SessionViewSet.as_view({"delete": "destroy"}, detail=True),
        name="session-detail",
    ),
    *router.urls,
]
