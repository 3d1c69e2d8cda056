"""A laptop: embedded store unless MONGODB_URI is set, browsable interface on."""

from ecommerce.settings import env
from ecommerce.settings.base import *  # noqa: F403
from ecommerce.settings.base import MIDDLEWARE, REST_FRAMEWORK, STORE_PATH
from ecommerce.settings.browsable import switch_on

SECRET_KEY = env.secret_kept_in(STORE_PATH.parent / "secret_key")
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],0.0.0.0")
BROWSABLE_API = True
DEMO_LOGINS = True
switch_on(REST_FRAMEWORK, MIDDLEWARE)
