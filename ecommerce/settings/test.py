"""The test suite: a store of its own, no pauses, no limits unless a test asks for them."""

import os
import re
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from django.utils.module_loading import import_string

from ecommerce.settings import env

if (
    "pytest" in sys.modules
    and (_worker := os.environ.get("PYTEST_XDIST_WORKER"))
    and env.text("MONGODB_URI")
):
    # Each process of a parallel run has a database and a cache of its own; what it starts is told.
    _uri, _redis = env.text("MONGODB_URI"), env.text("REDIS_URL")
    os.environ["MONGODB_URI"] = re.sub(r"(_gw\d+)?(?=\?|$)", f"_{_worker}", _uri, count=1)
    os.environ["REDIS_URL"] = re.sub(r"\d+$", _worker.removeprefix("gw"), _redis)

from ecommerce.settings.base import *  # noqa: F403
from ecommerce.settings.base import MIDDLEWARE, REST_FRAMEWORK
from ecommerce.settings.browsable import switch_on

SECRET_KEY = "tests-only-" + "0123456789abcdef" * 4
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
STORE_PATH = Path(tempfile.gettempdir()) / f"shop-tests-{os.getpid()}" / "store.sqlite3"
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_RESET_PAUSE = 0.0
RATE_LIMITS_ENABLED = False
PASSWORD_HASHERS = ["tests.hashers.QuickArgon2PasswordHasher"]
PASSWORD_HASHES_AT_ONCE = 32  # what many at once may do has tests of its own
BROWSABLE_API = True
DEMO_LOGINS = True
IDEMPOTENCY_LEASE = timedelta(seconds=env.integer("IDEMPOTENCY_LEASE", 30, low=1, high=60))
# A live test has a worker of its server killed between two steps of a write.
CHECKPOINT = import_string(env.text("CHECKPOINT")) if env.text("CHECKPOINT") else None
switch_on(REST_FRAMEWORK, MIDDLEWARE)
ERASURE_SWEEP_SECONDS = 0.0  # a late sweep would be counted among the next test's operations
