"""Calls of the routes as the table in `expectations.py` describes them."""

from collections.abc import Callable
from typing import Any

from tests.client import Answer, ApiClient
from tests.security.expectations import PLACES, THINGS, Row, World
from tests.security.routes import Route


def address(path: str, world: World) -> str:
    """The path with what it names in this world."""
    places = {name: place(world) for name, place in PLACES.items()}
    collection_path, has_pk, _ = path.partition("/{pk}")
    if has_pk:
        kind = collection_path.lstrip("/")
        assert kind in THINGS, f"say in THINGS what {path} is about"
        places["pk"] = THINGS[kind](world)
    return path.format(**places)


def prepared(
    route: Route, row: Row, who: ApiClient, path: str, world: World
) -> Callable[[], Answer]:
    """The call, with its body made: that may need a mail, or other things that are stored."""
    given = row.form if row.form is not None else row.body
    content: Any = given(world) if callable(given) else given
    if row.form is not None:
        return lambda: who.form(path, **(content or {}))
    return lambda: who.send(route.method, path + row.query, content)


def send(route: Route, row: Row, who: ApiClient, path: str, world: World) -> Answer:
    return prepared(route, row, who, path, world)()
