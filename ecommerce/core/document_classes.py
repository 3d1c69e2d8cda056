"""Which documents there are: every class of the installed apps that is stored."""

from typing import Any

import mongoengine
from django.apps import apps


def documents() -> list[type[mongoengine.Document]]:
    """Every stored document class of the installed apps."""
    modules = [getattr(config, "documents_module", None) for config in apps.get_app_configs()]
    return [
        candidate
        for module in modules
        if module is not None
        for candidate in vars(module).values()
        if _is_stored(candidate) and candidate.__module__.startswith(module.__name__)
    ]


def _is_stored(candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, mongoengine.Document)
