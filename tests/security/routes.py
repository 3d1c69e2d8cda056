"""Every route of the product, read from the URL configuration."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver

from ecommerce.core.access import AccessRule

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Route:
    """One method of one path."""

    method: str
    path: str
    """As `/users/{pk}`, without the slash that may end it."""
    view: Any
    """The view's class; None for a plain function."""
    action: str | None

    @property
    def name(self) -> str:
        """As the table writes it."""
        return f"{self.method} {self.path}"

    @property
    def scope(self) -> str | None:
        """The scope that opens it to an API key."""
        rule: AccessRule | None = getattr(self.view, "rules", {}).get(self.action)
        return rule.scope if rule else None


def all_routes() -> dict[str, Route]:
    """Every route by its name."""
    found = [
        Route(method, _path(pattern), view, action)
        for pattern, callback in _patterns(get_resolver().url_patterns)
        for method, view, action in _methods(callback)
    ]
    return {route.name: route for route in found}


def _patterns(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for entry in patterns:
        full = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry.url_patterns, full)
        elif isinstance(entry, URLPattern):
            yield full, entry.callback


def _path(pattern: str) -> str:
    simple = simplify_regex(pattern.replace("^", "").replace("\\.", "."))
    return simple.replace("<", "{").replace(">", "}").rstrip("/") or "/"


def _methods(callback: Any) -> Iterator[tuple[str, Any, str | None]]:
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    actions = getattr(callback, "actions", None)
    for method in METHODS:
        name = method.lower()
        if actions is not None:
            if name in actions:
                yield method, view, actions[name]
        elif view is not None:
            if hasattr(view, name):
                yield method, view, None
        elif method == "GET":
            yield method, None, None
