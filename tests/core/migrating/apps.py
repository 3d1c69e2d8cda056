"""Lists them, as an app of the product would."""

from django.apps import AppConfig

from tests.core.migrating.parcels import GRAMS, NO_KILOGRAMS


class MigratingConfig(AppConfig):
    """Is installed by tests alone."""

    name = "tests.core.migrating"
    data_migrations = (NO_KILOGRAMS, GRAMS)
