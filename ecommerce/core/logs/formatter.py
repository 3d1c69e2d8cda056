"""Records of `logging` as ECS lines: known fields only, under the request's id, redacted."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any, Final

import ecs_logging

from ecommerce.core.logs.fields import APPLICATION, FIELDS, SERVICE
from ecommerce.core.logs.redaction import redacted

_GROUPS: Final = frozenset(name.partition(".")[0] for name in FIELDS)
_DOTTED: Final = frozenset({"ecs.version", "log.level"})
"""The specification of ECS loggers wants these as they are, for whoever reads with plain eyes."""


class EcsFormatter(ecs_logging.StdlibFormatter):
    """The formatter of production.

    What a library hangs on a record that is no field of ours (Django: the request with its query
    string) is left out; a logger of ours gives ECS fields under their names in `extra`.
    """

    def __init__(self) -> None:
        super().__init__(exclude_fields=["log.original"])

    def format_to_ecs(self, record: logging.LogRecord) -> dict[str, Any]:
        """The line as it is written."""
        found = dict(_flat(super().format_to_ecs(record)))
        request_id = getattr(record, "request_id", "-")
        known = {name: value for name, value in found.items() if name in FIELDS}
        known.setdefault("event.dataset", APPLICATION)
        known["service.name"] = SERVICE
        if request_id != "-":
            known["http.request.id"] = request_id
        return nested({name: redacted(v) if isinstance(v, str) else v for name, v in known.items()})


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if not prefix and name.partition(".")[0] not in _GROUPS:
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names as objects in objects, as ECS loggers write them."""
    line: dict[str, Any] = {}
    for name, value in flat.items():
        *groups, last = [name] if name in _DOTTED else name.split(".")
        place = line
        for group in groups:
            place = place.setdefault(group, {})
        place[last] = value
    return line
