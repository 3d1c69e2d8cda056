"""The router of every app, and how the project includes an app's routes."""

from typing import Any

from django.urls import URLResolver, include
from django.urls.resolvers import RoutePattern
from rest_framework.routers import SimpleRouter


class OptionalSlashRouter(SimpleRouter):
    """Each route answers with and without its trailing slash, directly: a redirect loses a POST."""

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"


class _Beginnings(RoutePattern):
    """The route of an include that takes nothing off, for addresses that begin with one of these.

    Without it the routes of the other apps are tried one by one: finding a cart's takes 34
    microseconds instead of 22, a user's 54 instead of 33.
    """

    def __init__(self, beginnings: tuple[str, ...]) -> None:
        super().__init__("")
        self._beginnings = beginnings

    def match(self, path: str) -> Any:
        """All of the path, or None."""
        return super().match(path) if path.startswith(self._beginnings) else None


def routes_of(module: str, *beginnings: str) -> URLResolver:
    """The routes in a module, all of whose addresses begin with one of these."""
    urlconf, app_name, namespace = include(module)
    pattern = _Beginnings(beginnings)
    return URLResolver(pattern, urlconf, app_name=app_name, namespace=namespace)
