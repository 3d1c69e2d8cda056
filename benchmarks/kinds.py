"""The servers that are compared, and how ours is set up in each row."""

from collections.abc import Mapping
from typing import Final

from benchmarks.catalogs import PRODUCTS, SIZES, database_of
from benchmarks.servers import Kind


def ours(
    letter: str,
    name: str,
    *,
    size: int = PRODUCTS,
    shares_metrics: bool = False,
    **environment: str,
) -> Kind:
    """Our server with these settings, before a catalog of this size."""
    return Kind(
        letter, name, "", is_ours=True, environment=environment, database=database_of(size),
        shares_metrics=shares_metrics,
    )  # fmt: skip


PEERS: Final[Mapping[str, Kind]] = {
    kind.letter: kind
    for kind in (
        Kind("B", "gunicorn alone", "benchmarks.peers.bare:application"),
        Kind("D", "DRF + MongoEngine", "benchmarks.peers.drf_mongoengine:application"),
        Kind("N", "django-ninja + MongoEngine", "benchmarks.peers.ninja_mongoengine:application"),
        Kind("F", "FastAPI + Beanie", "benchmarks.peers.fastapi_beanie:app", asgi=True),
        Kind("P", "FastAPI + PyMongo async", "benchmarks.peers.fastapi_pymongo:app", asgi=True),
        Kind("L", "Litestar + msgspec", "benchmarks.peers.litestar_msgspec:app", asgi=True),
    )
}
UNCACHED: Final = ours("O", "ours, uncached", RESPONSE_CACHE="off", REDIS_URL="")
REDIS_WARM: Final = ours("R", "ours, Redis-warm", RESPONSE_CACHE="shared")
PROCESS_WARM: Final = ours("W", "ours, process-warm", RESPONSE_CACHE="full")
AS_DEPLOYED: Final = ours(
    "A", "ours, process-warm, as deployed", shares_metrics=True,
    RESPONSE_CACHE="full", DJANGO_SETTINGS_MODULE="ecommerce.settings.production",
    SECRET_KEY="benchmarks-only-" + "0123456789abcdef" * 3, ALLOWED_HOSTS="127.0.0.1",
    PUBLIC_URL="https://shop.example", PASSWORD_RESET_URL="https://shop.example/reset",
    EMAIL_VERIFICATION_URL="https://shop.example/verify", EMAIL_URL="smtp://mail.shop.example",
    RATE_LIMITS_ENABLED="true", RATE_LIMITS="reads=1000000000",
)  # fmt: skip
"""With the settings of production themselves: beside what the other rows do, it counts each request
in Redis, under a limit that one client does not come to, and in files for several processes, and
writes it to the access log."""


SIZED: Final = tuple(
    ours(f"O{size}", f"ours, uncached, {size:,} products", size=size, RESPONSE_CACHE="off",
         REDIS_URL="")
    for size in SIZES
)  # fmt: skip
"""Our server before catalogs of several sizes."""
WORKERS: Final = tuple(
    ours(f"W{count}", f"ours, {count} workers", shares_metrics=True, RESPONSE_CACHE="full",
         WEB_CONCURRENCY=str(count))
    for count in (1, 2, 4)
)  # fmt: skip
"""Several processes of ours, on the one core that servers have."""
