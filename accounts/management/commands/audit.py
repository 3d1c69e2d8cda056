"""`manage.py audit`: read the audit log, and watch it."""

import json
import re
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

from bson import ObjectId

from accounts.documents import AuditEventRow
from accounts.presenters import present_audit_event
from accounts.selectors import user_by_login
from accounts.selectors.audit import AuditFilter, audit_events
from ecommerce.core.commands import ShopCommand
from ecommerce.core.ids import is_id
from ecommerce.core.json_output import as_text
from ecommerce.core.mongo import utc_now

_AGO: Final = re.compile(r"(\d{1,4})([mhd])", re.ASCII)
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_LOOK_BACK: Final = timedelta(seconds=5)
"""How late an event of another process may become visible and still be shown."""
_REMEMBERED: Final = 10_000
_PAUSE: Final = 1.0
"""Seconds."""


class Command(ShopCommand):
    """Oldest first, so that the end of the output is the present."""

    help = "List the security events of accounts; --follow goes on as they happen."
    examples: ClassVar[str] = """
  manage.py audit                               the last day
  manage.py audit --event role_changed --since 400d
  manage.py audit --subject alice --since 2h
  manage.py audit --since 2026-01-31 --json | jq .details
  manage.py audit --follow                      until Ctrl-C
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which events, and how to write them."""
        parser.add_argument("--event", help="events of this name only")
        parser.add_argument("--actor", metavar="WHO", help="done by this user (login or id)")
        parser.add_argument("--subject", metavar="WHO", help="about this user (login or id)")
        parser.add_argument(
            "--since", type=_moment, default="1d", help="30m, 2h, 7d or a date (default: 1d)"
        )
        parser.add_argument("--until", type=_moment, help="before then")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument("--follow", action="store_true", help="go on as events happen")

    def run(self, **options: Any) -> None:
        """Write what matches."""
        wanted = AuditFilter(
            event=options["event"],
            actor=_person(options["actor"]),
            subject=_person(options["subject"]),
            since=options["since"],
            until=options["until"],
        )
        found = False
        for row in followed(wanted) if options["follow"] else audit_events(wanted):
            found = True
            self.stdout.write(_as_json(row) if options["json"] else _line(row))
        if not found:  # beside the output, which a pipe reads
            self.stderr.write("No event matches: look at --event, --actor, --subject and --since.")


def followed(wanted: AuditFilter) -> Iterator[AuditEventRow]:
    """What matches, and then for ever what comes, each once."""
    seen: deque[ObjectId] = deque(maxlen=_REMEMBERED)
    while True:
        started = utc_now()
        for row in audit_events(wanted):
            if row["_id"] not in seen:
                seen.append(row["_id"])
                yield row
        wanted = replace(wanted, since=started - _LOOK_BACK)
        time.sleep(_PAUSE)


def _moment(text: str) -> datetime:
    ago = _AGO.fullmatch(text)
    if ago:
        return utc_now() - int(ago[1]) * _UNITS[ago[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _NEVER
    if not 1970 < moment.year < 2100:
        raise ArgumentTypeError(f"say 30m, 2h, 7d or a date such as 2026-01-31, not {text!r}")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _person(who: str | None) -> ObjectId | None:
    if who is None:
        return None
    return ObjectId(who) if is_id(who) else user_by_login(who)["_id"]


def _as_json(row: AuditEventRow) -> str:
    return json.dumps(present_audit_event(row), default=as_text)


def _line(row: AuditEventRow) -> str:
    names = ("actor_id", "subject_id", "target", "address")
    known = {name.removesuffix("_id"): row[name] for name in names if name in row}  # type: ignore[literal-required]
    facts = {**known, **row.get("details", {})}
    text = " ".join(f"{name}={_printable(value)}" for name, value in facts.items())
    return f"{row['created_at']:%Y-%m-%d %H:%M:%S}  {row['event']:24} {text}".rstrip()


def _printable(value: object) -> str:
    """Nothing in an entry reaches the terminal as a command to it, or as another line."""
    return "".join(
        sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in str(value)
    )
