"""The servers that are compared, and how ours is set up in each row."""

from collections.abc import Mapping
from typing import Final

from benchmarks.servers import Kind


def ours(letter: str, name: str, **environment: str) -> Kind:
    """Our server with these settings."""
    return Kind(letter, name, "", is_ours=True, environment=environment)


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
