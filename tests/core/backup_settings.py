"""As in development, but a test can have a command killed between two steps."""

from django.utils.module_loading import import_string

from ecommerce.settings import env
from ecommerce.settings.dev import *  # noqa: F403

CHECKPOINT = import_string(env.text("CHECKPOINT")) if env.text("CHECKPOINT") else None
