"""What is not logged: that the server has refused a request which it has no room for."""

import logging


class WithoutRefusals(logging.Filter):
    """Leaves out Django's own line of each 503.

    Its cause is logged or counted where it is found. A storm of logins, an outage or a server that
    drains would write one more line for every request, just when there is most to do.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written; only those of requests have a `status_code`."""
        return getattr(record, "status_code", None) != 503
