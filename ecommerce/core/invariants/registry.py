"""Which documents have which rules. Apps say so in their AppConfigs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mongoengine
from django.apps import apps

from ecommerce.core.invariants.common import common_rules, shape_rule
from ecommerce.core.invariants.rules import Rule


@dataclass(frozen=True)
class Checked:
    """A collection, and what must hold of it."""

    document: type[mongoengine.Document]
    own: tuple[Rule, ...] = ()
    """The rules that the document's declaration cannot say."""
    may_lack: frozenset[str] = frozenset()
    """Fields that rows of an earlier time do not have, or that a rule of `own` is about."""
    batch: int = 500
    """Rows in memory at a time."""
    after_repair: Callable[[Any], None] | None = None
    """Called with the id of each row that was repaired: what services do after their writes."""

    @property
    def collection(self) -> str:
        """Its name in the database."""
        return str(self.document._get_collection_name())

    @property
    def app(self) -> str:
        """The app whose it is."""
        config = apps.get_containing_app_config(self.document.__module__)
        return config.label if config else ""

    @cached_property
    def shape(self) -> Rule:
        """Asked first: a row that has it wrong is asked nothing else."""
        return shape_rule(self.document, self.may_lack)

    @cached_property
    def others(self) -> tuple[Rule, ...]:
        """Every other rule."""
        return (*common_rules(self.document), *self.own)

    def full_name(self, rule: Rule) -> str:
        """As commands name it."""
        return f"{self.collection}.{rule.name}"


_registered: dict[type[mongoengine.Document], Checked] = {}


def register(*checked: Checked) -> None:
    """Have documents checked."""
    _registered.update({one.document: one for one in checked})


def registered() -> list[Checked]:
    """Everything that is checked, by app and collection."""
    return sorted(_registered.values(), key=lambda one: (one.app, one.collection))


def chosen(names: Iterable[str]) -> Mapping[Checked, frozenset[str]]:
    """The rules to ask of each collection.

    Args:
        names: of apps, collections and rules (`products.stock`); none for everything.

    Raises:
        LookupError: a name is none of these; the message lists what there is.
    """
    wanted, known, found = set(names), set[str](), dict[Checked, frozenset[str]]()
    for checked in registered():
        whole = {checked.app, checked.collection}
        rules = {checked.full_name(rule): rule.name for rule in (checked.shape, *checked.others)}
        known |= whole | rules.keys()
        picked = rules.keys() if not wanted or wanted & whole else wanted & rules.keys()
        if picked:
            found[checked] = frozenset(rules[name] for name in picked)
    if unknown := wanted - known:
        there = ", ".join(sorted(name for name in known if "." not in name))
        raise LookupError(
            f"{', '.join(sorted(unknown))}: no such app, collection or rule ({there})"
        )
    return found
