"""`manage.py verify_invariants`: does what is stored keep every rule, and can it be mended?"""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, ClassVar

from django.core.management.base import CommandError

from ecommerce.core.commands import ShopCommand
from ecommerce.core.invariants import Tally, Verification, chosen


class Command(ShopCommand):
    """Reads every document in batches; changes nothing unless it is told to repair."""

    help = "Check every stored document against every rule. Exit code 1 when one is broken."
    examples: ClassVar[str] = """
  manage.py verify_invariants                              everything
  manage.py verify_invariants --only carts products.stock  an app, a collection, a rule
  manage.py verify_invariants --json                       for programs
  manage.py verify_invariants --repair                     asks, then mends what is safe to mend
  manage.py verify_invariants --repair --yes               asks nothing, for cron
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to check, how to print, whether to repair."""
        parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="which rules")
        parser.add_argument("--json", action="store_true", help="one JSON object")
        parser.add_argument("--repair", action="store_true", help="mend what is safe to mend")
        parser.add_argument("--yes", action="store_true", help="do not ask before repairing")

    def run(self, **options: Any) -> None:
        """Check, print, and say in one sentence what is left."""
        try:
            asked = chosen(options["only"])
        except LookupError as unknown:
            raise CommandError(unknown.args[0], returncode=2) from None
        if options["repair"]:
            self.confirm("Change what breaks a rule and is safe to mend?", yes=options["yes"])
        passes = [Verification(one, rules, options["repair"]) for one, rules in asked.items()]
        with self.progress("rows", sum(one.count() for one in passes)) as advance:
            for one in passes:
                one.run(advance)
        (self._print_json if options["json"] else self._print)(passes)
        self._refuse([tally for one in passes for tally in one.tallies.values()])

    def _print_json(self, passes: Iterable[Verification]) -> None:
        collections = [
            {
                "collection": one.checked.collection,
                "rows": one.rows,
                "broken": [asdict(tally) for tally in one.tallies.values()],
            }
            for one in passes
        ]
        self.stdout.write(json.dumps(collections, indent=2))

    def _print(self, passes: Iterable[Verification]) -> None:
        for one in passes:
            mark = "FAIL" if any(tally.left for tally in one.tallies.values()) else "OK  "
            self.stdout.write(f"{mark}  {one.checked.collection:20} {one.rows} rows")
            for tally in one.tallies.values():
                self._print_tally(tally)

    def _print_tally(self, tally: Tally) -> None:
        mended = f", {tally.repaired} repaired" if tally.repaired else ""
        self.stdout.write(f"      {tally.rule}: {tally.broken} broken{mended}. {tally.says}")
        for example in tally.examples:
            done = f" (repaired: {example['repair']})" if "repair" in example else ""
            self.stdout.write(f"        {example['id']}  {example['fault']}{done}")
        if more := tally.broken - len(tally.examples):
            self.stdout.write(f"        and {more} more")

    def _refuse(self, tallies: Iterable[Tally]) -> None:
        broken = [tally.rule for tally in tallies if tally.left]
        if broken:
            raise CommandError(
                f"Broken: {', '.join(broken)}. --repair mends what is safe to mend; the rest needs "
                "somebody to look."
            )
