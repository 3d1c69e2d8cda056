"""`python -m benchmarks.limits`: a read counted through Redis, in this process, and not at all."""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any, Final

import django

from tests.live.server import free_port

RESULTS: Final = Path(__file__).with_name("results.md")
_HOST: Final = "127.0.0.1"
_BATCH: Final = 50
"""Reads in a row; the ways take turns, so that a busy machine slows all of them alike."""
_WAYS: Final = {
    "off": {"RATE_LIMITS_ENABLED": False},
    "in this process": {"RATE_LIMITS_ENABLED": True, "REDIS_URL": ""},
    "through Redis": {"RATE_LIMITS_ENABLED": True},
}
_HEAD: Final = """# What a rate limit costs

Made by `make bench-limits`. CPU time for one `GET /products/{id}` through the whole application,
without a network and with the response cache off: the median of batches of 50, and in brackets
where the lowest and the highest tenth end. The last column is the CPU time of the Redis server
itself. A limit that guards accounts is counted the same way; several on one request are one call.
"""


def main() -> None:
    """Measure, and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=main.__doc__)
    parser.add_argument("--batches", type=int, default=100, help="of 50 reads, each way (100)")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if shutil.which("redis-server") is None:
        sys.exit("redis-server not found: apt-get install redis-server")
    with TemporaryDirectory() as folder, _redis(folder) as url:
        os.environ.update(
            DJANGO_SETTINGS_MODULE="benchmarks.settings", RESPONSE_CACHE="off", REDIS_URL=url,
            STORE_PATH=f"{folder}/store.sqlite3", RATE_LIMITS="reads=1000000000",
        )  # fmt: skip
        os.environ.pop("MONGODB_URI", None)
        django.setup()
        with _reading() as read:
            figures, redis_cpu = measured(read, batches=options.batches)
    options.out.write_text(report(figures, redis_cpu), encoding="utf-8")
    print(f"{options.out} holds the figures.")


def measured(read: Callable[[], None], *, batches: int) -> tuple[dict[str, list[float]], float]:
    """CPU microseconds of a read in each batch of each way, and of Redis for one count."""
    taken: dict[str, list[float]] = {way: [] for way in _WAYS}
    spent = 0.0
    for number in range(batches + 2):
        for way, values in _WAYS.items():
            with _set(values):
                before, began = _redis_cpu(), time.process_time_ns()
                for _ in range(_BATCH):
                    read()
                cost = (time.process_time_ns() - began) / 1_000 / _BATCH
                if number < 2:  # the first batches warm up
                    continue
                taken[way].append(cost)
                spent += _redis_cpu() - before if way == "through Redis" else 0.0
    return taken, spent * 1e6 / batches / _BATCH


def report(figures: Mapping[str, list[float]], redis_cpu: float) -> str:
    """The figures as Markdown."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    lines = [
        _HEAD, f"{machine}; load average of the last minute {os.getloadavg()[0]:.1f}.\n",
        "| limits | CPU microseconds of a read | more than off | of Redis |",
        "| --- | --- | --- | --- |",
    ]  # fmt: skip
    off = median(figures["off"])
    for way, costs in figures.items():
        tenths = quantiles(costs, n=10)
        more = "" if way == "off" else f"{median(costs) - off:.0f}"
        server = f"{redis_cpu:.0f}" if way == "through Redis" else ""
        cost = f"{median(costs):.0f} ({tenths[0]:.0f}-{tenths[-1]:.0f})"
        lines.append(f"| {way} | {cost} | {more} | {server} |")
    return "\n".join(lines) + "\n"


@contextmanager
def _reading() -> Iterator[Callable[[], None]]:
    """One read of a product on a store of its own."""
    from django.conf import settings
    from django.test import Client

    from catalog.services import ProductService
    from ecommerce.core import mongo
    from ecommerce.core.indexes import ensure_indexes

    local = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "limits"}
    settings.CACHES = {**settings.CACHES, "limits": local}
    settings.RATELIMIT_USE_CACHE = "limits"
    mongo.connect()
    ensure_indexes()
    values: Any = {"name": "Lamp", "price_minor": 1999, "quantity": 1, "status": "active"}
    path = f"/products/{ProductService.create(values=values)['_id']}"
    client = Client(SERVER_NAME=_HOST)

    def read() -> None:
        assert client.get(path).status_code == 200

    yield read
    mongo.disconnect()


@contextmanager
def _set(values: Mapping[str, Any]) -> Iterator[None]:
    from django.test import override_settings

    with override_settings(**values):
        yield


def _redis_cpu() -> float:
    """Seconds of CPU that the Redis server has used."""
    from ecommerce.core.shared_redis import redis

    info: dict[str, Any] = redis().info("cpu")
    return float(info["used_cpu_sys"]) + float(info["used_cpu_user"])


@contextmanager
def _redis(folder: str) -> Iterator[str]:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--save", "", "--dir", folder]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        time.sleep(0.5)
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
