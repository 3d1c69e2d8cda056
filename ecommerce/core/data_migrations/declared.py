"""What a data migration is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

import mongoengine
from django.apps import apps

from ecommerce.core.data_migrations.errors import MigrationError

Row = Mapping[str, Any]
Change = Mapping[str, Any]
"""An update as MongoDB takes it, without `version`."""


class Phase(StrEnum):
    """Beside which versions of the program a migration is safe."""

    EXPAND = "expand"
    """Adds what the next version needs; the present one works on. Runs before a rollout."""
    CONTRACT = "contract"
    """Takes away what only older versions used. Runs when none of them does any more."""


@dataclass(frozen=True, slots=True)
class DataMigration:
    """A change of every row of a collection that needs it.

    It is only ever asked what is to be done about a row as it is now, so that it does nothing the
    second time; that a row is changed at once and only as it was read, the runner sees to.
    """

    number: int
    """Over all apps; never used twice."""
    name: str
    document: type[mongoengine.Document]
    change: Callable[[Row], Change | None]
    """What is to be done about a row; None where nothing is (any more)."""
    fields: tuple[str, ...]
    """What `change` looks at."""
    phase: Phase = Phase.EXPAND
    pinned: tuple[str, ...] = ("version",)
    """Fields that must still be as they were read: all that `change` looks at, where rows have no
    version."""

    @property
    def projection(self) -> dict[str, int]:
        """What is read of a row."""
        return dict.fromkeys(("_id", *self.pinned, *self.fields), 1)

    @property
    def label(self) -> str:
        """As messages name it."""
        return f"{self.number:04} {self.name}"


def declared() -> list[DataMigration]:
    """Those of every installed app, by number.

    Raises:
        MigrationError: two have one number.
    """
    listed = [getattr(config, "data_migrations", ()) for config in apps.get_app_configs()]
    found = sorted((one for some in listed for one in some), key=lambda one: one.number)
    for one, other in pairwise(found):
        if one.number == other.number:
            raise MigrationError(
                f"Two data migrations have the number {one.number}: {one.name} and {other.name}."
            )
    return found
