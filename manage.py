#!/usr/bin/env python
"""The command line of the shop: `python manage.py help` lists every command."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from ecommerce.settings import env  # noqa: F401 - reads `.env`, which may name the settings too


def main() -> None:
    """Run one command; a wrong setting is a message and exit code 1, never a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecommerce.settings.dev")
    if sys.argv[1:2] != ["serve"]:
        # Beside a server, a command's gauges would count among the workers' for as long as it runs.
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(f"Cannot start: {problem}")


if __name__ == "__main__":
    main()
