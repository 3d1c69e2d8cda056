"""What the browsable interface adds: HTML answers, forms, and a signed-cookie session to log in."""

from typing import Any


def switch_on(rest_framework: dict[str, Any], middleware: list[str]) -> None:
    """Add HTML rendering, form parsing and session login to the given settings, in place."""
    rest_framework["DEFAULT_RENDERER_CLASSES"].append("ecommerce.core.renderers.BrowsableRenderer")
    rest_framework["DEFAULT_PARSER_CLASSES"] += [
        "ecommerce.core.parsers.StrictFormParser",
        "ecommerce.core.parsers.StrictMultiPartParser",  # what the pages' PUT forms send
    ]
    rest_framework["DEFAULT_AUTHENTICATION_CLASSES"].append(
        "accounts.authentication.BrowsableSessionAuthentication"
    )
    common = middleware.index("django.middleware.common.CommonMiddleware")
    middleware.insert(common + 1, "django.contrib.sessions.middleware.SessionMiddleware")
