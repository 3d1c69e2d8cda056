"""`python -m benchmarks.catalog`: fill an empty store step by step, measure, write the results."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import django

from benchmarks.catalog import report
from benchmarks.catalog.calls import HOST, Cost, calls, cost

SIZES: Final = (1_000, 10_000, 100_000)
_SEED: Final = 1


def main() -> None:
    """Measure what MONGODB_URI names, or the embedded store in a folder of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catalog", description=main.__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each call and size (2)")
    parser.add_argument("--out", type=Path, default=report.RESULTS)
    options = parser.parse_args()
    # Reads are measured, not answers that were kept from the read before.
    os.environ.update(DJANGO_SETTINGS_MODULE="benchmarks.settings", RESPONSE_CACHE="off")
    with TemporaryDirectory() as folder:
        os.environ["STORE_PATH"] = f"{folder}/store.sqlite3"
        django.setup()
        server, figures = measured(sorted(options.sizes), seconds=options.seconds)
    report.write(server, sorted(options.sizes), figures, options.out)
    print(f"{options.out} holds the figures of {server}.")


def measured(sizes: Sequence[int], *, seconds: float) -> tuple[str, dict[str, dict[int, Cost]]]:
    """The server's name, and what each call costs at each size; the catalog is gone afterwards."""
    from django.test import Client

    from catalog.selectors import is_empty
    from demo.seeding import seed_products
    from ecommerce.core import mongo
    from ecommerce.core.indexes import ensure_indexes

    mongo.connect()
    if not is_empty():
        sys.exit("There are products in this database. Name one without any in MONGODB_URI.")
    ensure_indexes()
    client, figures = Client(SERVER_NAME=HOST), dict[str, dict[int, Cost]]()
    try:
        for size in sizes:
            print(f"{size:,} products ...", flush=True)
            seed_products(size, seed=_SEED)
            for name, address in calls(client):
                figures.setdefault(name, {})[size] = cost(client, address, seconds=seconds)
        return server_name(), figures
    finally:
        _clear()
        mongo.disconnect()


def server_name() -> str:
    """What keeps the data, with its version."""
    from importlib.metadata import version

    from mongoengine.connection import get_connection

    from ecommerce.core.mongo import uses_embedded_store

    if uses_embedded_store():
        return f"embedded store (mongomock {version('mongomock')})"
    info: dict[str, Any] = get_connection().admin.command("buildInfo")
    if "javascriptEngine" in info:
        return f"MongoDB {info['version']}"
    return f"mongo-java-server (answers as MongoDB {info['version']})"


def _clear() -> None:
    from catalog.documents import Category, CategoryTree, Product
    from ecommerce.core.mongo import collection

    for document in (Product, Category, CategoryTree):
        collection(document).drop()


if __name__ == "__main__":
    main()
