"""Log-in pages of the browsable interface, under the names that DRF's templates link to."""

from django.urls import re_path

from accounts.views.browsable import LoginView, LogoutView

app_name = "rest_framework"
urlpatterns = [
    re_path(r"^login/?$", LoginView.as_view(), name="login"),
    re_path(r"^logout/?$", LogoutView.as_view(), name="logout"),
]
