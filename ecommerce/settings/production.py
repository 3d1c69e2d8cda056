"""Production: refuses to start without a real store, a shared cache and a strong key."""

from ecommerce.settings import env
from ecommerce.settings.base import *  # noqa: F403
from ecommerce.settings.base import (
    ALLOWED_HOSTS,
    EMAIL_HOST,
    EMAIL_VERIFICATION_URL,
    LOGGING,
    MONGODB_URI,
    PASSWORD_RESET_URL,
    PUBLIC_URL,
    REDIS_URL,
    TRUSTED_PROXIES,
)

SECRET_KEY = env.strong_secret("SECRET_KEY")

if not MONGODB_URI:
    raise env.BadSettingError(
        "MONGODB_URI",
        "is not set, and the embedded store is for development only",
        "mongodb://mongo1,mongo2,mongo3/ecommerce?replicaSet=rs0",
    )
if not REDIS_URL:
    raise env.BadSettingError(
        "REDIS_URL",
        "is not set, and a cache of one process cannot hold shared rate limits",
        "redis://redis:6379/0",
    )
if not EMAIL_HOST:
    raise env.BadSettingError(
        "EMAIL_URL",
        "names no mail server, and a printed mail would show its secret in the log",
        "smtp+tls://user:password@mail.shop.example:587",
    )
for page, address in {
    "PUBLIC_URL": PUBLIC_URL,
    "PASSWORD_RESET_URL": PASSWORD_RESET_URL,
    "EMAIL_VERIFICATION_URL": EMAIL_VERIFICATION_URL,
}.items():
    if not address.startswith("https://"):
        raise env.BadSettingError(
            page, "must start with https://: its links carry secrets", "https://shop.example"
        )
if env.boolean("DEBUG", default=False):
    raise env.BadSettingError("DEBUG", "is on: it shows internals to anyone", "false")
if "*" in ALLOWED_HOSTS or not env.text("ALLOWED_HOSTS"):
    raise env.BadSettingError(
        "ALLOWED_HOSTS", "must name the hosts of the shop, without *", "api.shop.example"
    )
if not env.boolean("RATE_LIMITS_ENABLED", default=True):
    raise env.BadSettingError(
        "RATE_LIMITS_ENABLED", "is off: that is for load tests, never for production", "true"
    )

if TRUSTED_PROXIES:  # without a proxy of ours, anyone could send this header
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
LOGGING["handlers"]["console"]["formatter"] = "ecs"
