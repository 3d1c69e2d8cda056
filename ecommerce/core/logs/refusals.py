"""What is logged of refusals, little or nothing: anybody can cause as many as they like."""

import logging
from typing import Final

_SUSPICIONS: Final = "django.security."
_LONGEST: Final = 200
"""Characters of what the client made up."""


class WithoutRefusals(logging.Filter):
    """Leaves out Django's own line of each 503.

    Its cause is logged or counted where it is found. A storm of logins, an outage or a server that
    drains would write one more line for every request, just when there is most to do.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written; only those of requests have a `status_code`."""
        return getattr(record, "status_code", None) != 503


class BriefSuspicions(logging.Filter):
    """Makes of Django's error with a traceback a short warning: a wrong host, a form too large.

    It stands at the handler: each kind has a logger of its own under `django.security`.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Always written."""
        if record.name.startswith(_SUSPICIONS):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.msg, record.args = record.getMessage()[:_LONGEST], ()
            record.exc_info = record.exc_text = None
        return True
