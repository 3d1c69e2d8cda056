"""The test suite: a store of its own, cheap hashing, no limits unless a test asks for them."""

import os
import tempfile
from pathlib import Path

from ecommerce.settings.base import *  # noqa: F403
from ecommerce.settings.base import MIDDLEWARE, REST_FRAMEWORK
from ecommerce.settings.browsable import switch_on

SECRET_KEY = "tests-only-" + "0123456789abcdef" * 4
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
STORE_PATH = Path(tempfile.gettempdir()) / f"shop-tests-{os.getpid()}" / "store.sqlite3"
RATE_LIMITS_ENABLED = False
BROWSABLE_API = True
DEMO_LOGINS = True
switch_on(REST_FRAMEWORK, MIDDLEWARE)
