"""Our own server for the rows: without limits, as its load is one client, and without an access
log, as the peers have none. `kinds.AS_DEPLOYED` has both, and the settings of production."""

from ecommerce.settings import env
from ecommerce.settings.base import *  # noqa: F403

SECRET_KEY = "benchmarks-only-" + "0123456789abcdef" * 3
ALLOWED_HOSTS = ["127.0.0.1"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_CONTENT_TYPE_NOSNIFF = True
RATE_LIMITS_ENABLED = env.boolean("RATE_LIMITS_ENABLED", default=True)
