"""`manage.py doctor`: what is wrong with this installation, and what to do."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any, ClassVar

from django.core.management.base import CommandError

from ecommerce.core.commands import ShopCommand
from ecommerce.core.diagnosis import findings

_MARKS = {"ok": "OK  ", "warning": "WARN", "failure": "FAIL"}


class Command(ShopCommand):
    """Looks at the store, its indexes, Redis, the secrets, the clock and the limits."""

    help = "Look at the store, Redis, secrets and clock; say what is wrong and what to do."
    examples: ClassVar[str] = """
  manage.py doctor                        for people; exit code 1 when something fails
  manage.py doctor --json                 for programs
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How to print."""
        parser.add_argument("--json", action="store_true", help="one JSON list")

    def run(self, **options: Any) -> None:
        """Every finding, then one sentence if any is a failure."""
        found = list(findings())
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in found], indent=2))
        else:
            for finding in found:
                self.stdout.write(f"{_MARKS[finding.level]}  {finding.name:8} {finding.text}")
        failures = [finding.name for finding in found if finding.level == "failure"]
        if failures:
            raise CommandError(f"Something is wrong with: {', '.join(failures)}.")
