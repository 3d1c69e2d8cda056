"""What every environment shares. dev.py, test.py and production.py say only what differs."""

import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from corsheaders.defaults import default_headers

from ecommerce.settings import env
from ecommerce.settings.cores import available_cores

BASE_DIR = env.BASE_DIR

APP_NAME = env.text("APP_NAME", "E-commerce API")
VERSION = "0.1.0"
DEBUG = False  # Django's debug pages would show internals; errors are problem+json everywhere
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
ROOT_URLCONF = "ecommerce.urls"
WSGI_APPLICATION = "ecommerce.wsgi.application"
APPEND_SLASH = False  # every path answers with and without its slash, never by redirect
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False

# --- the shop ---------------------------------------------------------------------------------
CURRENCY = env.currency()

# --- where data lives -------------------------------------------------------------------------
DATABASES: dict[str, Any] = {}
MONGODB_URI = env.mongodb_uri()
STORE_PATH = env.store_path()
REDIS_URL = env.redis_url("REDIS_URL")
RATE_LIMIT_REDIS_URL = env.redis_url("RATE_LIMIT_REDIS_URL") or REDIS_URL
"""A Redis that forgets nothing to make room: counts of limits and of failed logins."""
_THIS_PROCESS: dict[str, Any] = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "LOCATION": "this-process",
    "OPTIONS": {"MAX_ENTRIES": 100_000},  # beyond 300 it would drop counts of failed logins
}
CACHES: dict[str, dict[str, Any]] = {
    "default": {**_THIS_PROCESS, "LOCATION": ""},
    "limits": {**_THIS_PROCESS, "LOCATION": ""},
    "answers": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "answers",
        "OPTIONS": {"MAX_ENTRIES": 2_000},
    },
}
_REDIS: dict[str, Any] = {
    "BACKEND": "django_redis.cache.RedisCache",
    "LOCATION": REDIS_URL,
    "KEY_PREFIX": "shop",
}
_REDIS_TIMEOUTS = {
    # Redis away or paused costs at most this, in seconds: its defaults wait for ever.
    "SOCKET_CONNECT_TIMEOUT": 0.25,
    "SOCKET_TIMEOUT": 0.25,
}
if REDIS_URL:
    _json = {"SERIALIZER": "django_redis.serializers.json.JSONSerializer", **_REDIS_TIMEOUTS}
    _bytes = {
        "SERIALIZER": "ecommerce.core.response_cache.bytes_serializer.BytesSerializer",
        **_REDIS_TIMEOUTS,
    }
    CACHES = {
        "default": {**_REDIS, "OPTIONS": _json},
        "limits": {**_REDIS, "LOCATION": RATE_LIMIT_REDIS_URL, "OPTIONS": _json},
        "answers": {**_REDIS, "OPTIONS": _bytes},
    }
CACHES["this-process"] = _THIS_PROCESS
RATELIMIT_USE_CACHE = "this-process"
"""django-ratelimit counts where Redis does not (see ecommerce/core/rate_limits/counting.py)."""
RESPONSE_CACHE = env.choice("RESPONSE_CACHE", "full", among=("full", "shared", "off"))
"""Answers of the catalog: kept in each process and in Redis (full), in Redis alone (shared), or not
at all (off). None gets older than 300 s; a process uses its own for one second without asking
whether another process has changed anything."""

# --- applications -----------------------------------------------------------------------------
INSTALLED_APPS = [
    "accounts",  # before django.contrib.auth: our createsuperuser and changepassword win
    "catalog",
    "carts",
    "demo",
    "ecommerce.core",
    "django.contrib.auth",  # imported by DRF and SimpleJWT; no model of it is ever queried
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_prometheus",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "ecommerce.core.request_ids.RequestIdMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "ecommerce.core.security_headers.SecurityHeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "ecommerce.core.rate_limits.middleware.RateLimitMiddleware",
    "django.middleware.common.CommonMiddleware",
    "ecommerce.core.framing.RequestFramingMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "ecommerce.core.problems.PlainViewMiddleware",
    "ecommerce.core.request_metrics.BoundedPrometheusMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "ecommerce" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    },
]
# WhiteNoise warns where collectstatic has not run; then it serves from the packages themselves.
warnings.filterwarnings("ignore", message="No directory at", module="django")
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True  # serves the docs' files without a collectstatic step

# --- the HTTP edge ----------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # bytes of a request body
FILE_UPLOAD_LIMITS = {"/products/imports": 50 * 1024 * 1024}
"""Bytes of a body, by path, where files are taken: they are read in blocks, never whole."""
CORS_ALLOWED_ORIGINS = env.origins("CORS_ALLOWED_ORIGINS")
CORS_ALLOW_HEADERS = [
    *default_headers, "idempotency-key", "if-match", "if-modified-since", "if-none-match",
    "x-cart-token", "x-request-id",
]  # fmt: skip
CORS_EXPOSE_HEADERS = [
    "ETag", "Idempotent-Replayed", "Link", "Location", "RateLimit", "RateLimit-Policy",
    "Retry-After", "X-Request-ID",
]  # fmt: skip
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0, low=0, high=10)
"""How many proxies of ours stand before the server: that many entries of X-Forwarded-For count."""
X_FRAME_OPTIONS = "DENY"

# --- accounts and tokens ----------------------------------------------------------------------
SECRET_KEY_FALLBACKS = env.former_secrets("SECRET_KEY_FALLBACKS")
"""Former keys, comma-separated: they sign nothing any more, and what they signed stays valid."""
ACCESS_TOKEN_LIFETIME = timedelta(
    minutes=env.integer("ACCESS_TOKEN_EXPIRE_MINUTES", 30, low=1, high=24 * 60)
)
REFRESH_TOKEN_LIFETIME = timedelta(days=30)
REFRESH_TOKEN_IDLE_LIFETIME = timedelta(days=7)
SIMPLE_JWT: dict[str, Any] = {  # the token engine alone; refresh tokens are ours
    "ALGORITHM": "HS256",
    "ISSUER": "ecommerce",
    "AUDIENCE": "ecommerce-api",
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "AUTH_HEADER_TYPES": ("Bearer", "bearer"),
    "USER_ID_CLAIM": "sub",
    "CHECK_REVOKE_TOKEN": False,
}
ERASURE_SWEEP_SECONDS = 10.0
"""After an erasure, when to look again for what a request that was under way has made meanwhile:
longer than any request lasts."""
BREACHED_PASSWORDS_FILE = env.breached_passwords_file()
PASSWORD_HASHERS = ["accounts.hashers.ShopArgon2PasswordHasher"]
PASSWORD_HASHES_AT_ONCE = max(1, available_cores() // env.processes())
LOGINS_AT_ONCE = max(1, env.threads() - 2)
"""In each process: see accounts/capacity.py. Two threads stay for the catalog."""
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.validators.BreachedPasswordValidator"},
]

# --- repeated requests ------------------------------------------------------------------------
IDEMPOTENCY_LEASE = timedelta(seconds=30)
"""How long a POST with a key may work before a retry takes it for dead."""
CHECKPOINT: Callable[[str], None] | None = None
"""Called between the steps of a write; set by tests that end the process there."""

REQUIRE_VERIFIED_EMAIL = env.boolean("REQUIRE_VERIFIED_EMAIL", default=False)
"""Whether only users whose address is verified may sign in."""

PASSWORD_RESET_PAUSE = 0.5
"""Seconds at most between the answer to a reset and the work for it."""

# --- mail -------------------------------------------------------------------------------------
PUBLIC_URL = env.web_address("PUBLIC_URL", "http://127.0.0.1:8000")
"""Where the front end is. No link is ever made from the host name of a request."""
PASSWORD_RESET_URL = env.web_address("PASSWORD_RESET_URL", f"{PUBLIC_URL}/reset-password")
EMAIL_VERIFICATION_URL = env.web_address("EMAIL_VERIFICATION_URL", f"{PUBLIC_URL}/verify-email")
MAIL = env.mail()
EMAIL_BACKEND = MAIL["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = MAIL["EMAIL_HOST"], MAIL["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL["EMAIL_HOST_USER"], MAIL["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL["EMAIL_USE_TLS"], MAIL["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = env.mail_from(APP_NAME, PUBLIC_URL)

# --- limits -----------------------------------------------------------------------------------
RATE_LIMITS = env.quotas("RATE_LIMITS")
"""Quotas that replace those of ecommerce/core/rate_limits/policies.py, by name."""
RATE_LIMITS_ENABLED = env.boolean("RATE_LIMITS_ENABLED", default=True)
SILENCED_SYSTEM_CHECKS = [
    # The local-memory cache is the development store of limits: one process, so it is shared.
    "django_ratelimit.E003",
    "django_ratelimit.W001",
]

# --- the browsable interface ------------------------------------------------------------------
BROWSABLE_API = False
DEMO_LOGINS = False  # only development makes users whose passwords are public
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"  # needs no database
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_RENDERER_CLASSES": ["ecommerce.core.renderers.ORJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["ecommerce.core.parsers.StrictJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerAuthentication",
        "accounts.key_authentication.ApiKeyAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.rules.SIGNED_IN"],
    "DEFAULT_SCHEMA_CLASS": "ecommerce.core.openapi.ShopAutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "ecommerce.core.negotiation.PlainFirstNegotiation",
    "EXCEPTION_HANDLER": "ecommerce.core.problems.exception_handler",
    "NON_FIELD_ERRORS_KEY": "",
    "URL_FORMAT_OVERRIDE": None,  # ?format= would be a query parameter nobody declared
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

_SWAGGER_UI = """{
  persistAuthorization: true,
  tryItOutEnabled: true,
  // The field for an API key would take the focus, and scroll username and password away.
  plugins: [{wrapComponents: {
    Input: (Input, {React}) => (props) => React.createElement(Input, {...props, autoFocus: false}),
  }}],
}"""
"""In the language of its script."""
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": APP_NAME,
    "VERSION": VERSION,
    "DESCRIPTION": (
        "Users, products and shopping carts over REST. Press **Authorize**, sign in with a "
        "username and a password, and try any call. Errors are `application/problem+json` "
        "(RFC 9457); `code` names the case, `detail` says what to do next. Times are in UTC, with "
        "milliseconds: `2026-01-31T12:00:00.000+00:00`."
    ),
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "AUTHENTICATION_WHITELIST": [
        "accounts.authentication.BearerAuthentication",
        "accounts.key_authentication.ApiKeyAuthentication",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": False,
    "POSTPROCESSING_HOOKS": [
        "ecommerce.core.openapi.finish_schema",
        "carts.openapi.add_cart_token",
    ],
    "SWAGGER_UI_SETTINGS": _SWAGGER_UI,
    "TAGS": [
        {"name": "token", "description": "Sign in, renew and revoke."},
        {"name": "users", "description": "Register, read and manage accounts."},
        {"name": "audit-events", "description": "What happened to accounts, for staff."},
        {"name": "password-reset", "description": "A new password by a link in a mail."},
        {
            "name": "products",
            "description": (
                "The catalog: anyone reads, staff writes. With a token a write is seen by the next "
                "read; without one it may take a second, and as long as `Cache-Control` allows "
                "where a cache stands before the servers."
            ),
        },
        {"name": "categories", "description": "The tree that products stand in."},
        {"name": "shopping-carts", "description": "Carts and their lines, of the signed-in user."},
    ],
}

# --- logging ----------------------------------------------------------------------------------
SLOW_OPERATION_MS = env.integer("SLOW_OPERATION_MS", 250, low=1, high=60_000)
"""Milliseconds: a command to MongoDB that takes so long is logged, without its values."""
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "ecommerce.core.request_ids.RequestIdFilter"},
        "brief_suspicions": {"()": "ecommerce.core.logs.refusals.BriefSuspicions"},
        "without_refusals": {"()": "ecommerce.core.logs.refusals.WithoutRefusals"},
    },
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"},
        "ecs": {"()": "ecommerce.core.logs.formatter.EcsFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler", "formatter": "plain",
            "filters": ["request_id", "brief_suspicions"],
        },
    },
    "root": {
        "handlers": ["console"],
        "level": env.log_level("LOG_LEVEL", "info").upper(),
    },
    "loggers": {
        # A 4xx is the client's, not an incident.
        "django.request": {"level": "ERROR", "filters": ["without_refusals"]},
        "pymongo": {"level": "INFO"},  # at DEBUG it writes whole commands: names, hashes, addresses
    },
}  # fmt: skip
