"""The servers that are compared, and how ours is set up in each row."""

from collections.abc import Mapping
from typing import Final

from benchmarks.catalogs import PRODUCTS, SIZES, database_of
from benchmarks.servers import Kind


def ours(letter: str, name: str, *, size: int = PRODUCTS, **environment: str) -> Kind:
    """Our server with these settings, before a catalog of this size."""
    database = database_of(size)
    return Kind(letter, name, "", is_ours=True, environment=environment, database=database)


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


SIZED: Final = tuple(
    ours(f"O{size}", f"ours, uncached, {size:,} products", size=size, RESPONSE_CACHE="off",
         REDIS_URL="")
    for size in SIZES
)  # fmt: skip
"""Our server before catalogs of several sizes."""
WORKERS: Final = tuple(
    ours(f"W{count}", f"ours, {count} workers", RESPONSE_CACHE="full", WEB_CONCURRENCY=str(count))
    for count in (1, 2, 4)
)
"""Several processes of ours, on the one core that servers have."""
