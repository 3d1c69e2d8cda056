"""Demo data and the one-command server for a laptop. Uses the other apps; none uses it."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """`manage.py seed` and `manage.py serve`."""

    name = "demo"
