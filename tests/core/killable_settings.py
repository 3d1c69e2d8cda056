"""As in development, but a test can have a command killed between two steps, and migrations."""

from django.utils.module_loading import import_string

from ecommerce.settings import env
from ecommerce.settings.dev import *  # noqa: F403
from ecommerce.settings.dev import INSTALLED_APPS

CHECKPOINT = import_string(env.text("CHECKPOINT")) if env.text("CHECKPOINT") else None
if env.boolean("WITH_MIGRATIONS", default=False):
    INSTALLED_APPS += ["tests.core.migrating"]
