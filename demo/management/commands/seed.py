"""`manage.py seed`: demo products, users and carts."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any, ClassVar, Final

from django.conf import settings

from catalog.selectors import is_empty
from demo import seeding
from ecommerce.core.commands import ShopCommand
from ecommerce.core.indexes import ensure_indexes

_MAX: Final = 1_000_000


class Command(ShopCommand):
    """Adds what is missing and changes nothing that is there, so it may run any number of times."""

    help = "Fill the store with demo products, users and carts; the same seed gives the same data."
    examples: ClassVar[str] = """
  manage.py seed                          200 products, 20 users, 10 carts
  manage.py seed --products 10000         a larger catalog
  manage.py seed --seed 7                 other data, the same each time
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How much of what."""
        parser.add_argument("--products", type=_count, default=200, metavar="N")
        parser.add_argument("--users", type=_count, default=20, metavar="N")
        parser.add_argument("--carts", type=_count, default=10, metavar="N")
        parser.add_argument("--seed", type=int, default=1, metavar="N", help="which data (1)")
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing when there are products already"
        )

    def run(self, **options: Any) -> None:
        """Seed in the order in which the data depends on each other."""
        ensure_indexes()
        if options["if_empty"] and not is_empty():
            self.stdout.write("There is data already: nothing was added.")
            return
        if settings.DEMO_LOGINS:
            seeding.seed_demo_logins()
        for name in ("products", "users"):
            self._seed(name, options[name], options["seed"])
        self._seed_carts(options["carts"], options["seed"])

    def _seed(self, name: str, count: int, seed: int) -> None:
        with self.progress(name, count) as advance:
            added = getattr(seeding, f"seed_{name}")(count, seed=seed, progress=advance)
        self.stdout.write(f"{name}: {added} added, {count - added} were there.")

    def _seed_carts(self, count: int, seed: int) -> None:
        with self.progress("carts", count) as advance:
            carts = seeding.seed_carts(count, seed=seed, progress=advance)
        present = count - carts.added - carts.left_out
        advice = (
            f", {carts.left_out} left out: each belongs to a customer of this seed, see --users"
            if carts.left_out
            else ""
        )
        self.stdout.write(f"carts: {carts.added} added, {present} were there{advice}.")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > _MAX:
        raise ArgumentTypeError(f"0 to {_MAX}, not {text!r}")
    return int(text)
