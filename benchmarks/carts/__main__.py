"""`python -m benchmarks.carts`: fill carts, add to them, write what that took."""

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import django

from benchmarks.carts import report
from benchmarks.carts.adds import LINES, Figures, adder, figures_of
from benchmarks.catalog.__main__ import server_name


def main() -> None:
    """Measure what MONGODB_URI names, or the embedded store in a folder of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.carts", description=main.__doc__)
    parser.add_argument("--samples", type=int, default=300, help="adds for each figure (300)")
    parser.add_argument("--out", type=Path, default=report.RESULTS)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    os.environ["RATE_LIMITS_ENABLED"] = "false"
    with TemporaryDirectory() as folder:
        os.environ["STORE_PATH"] = f"{folder}/store.sqlite3"
        django.setup()
        server, figures = measured(options.samples)
    report.write(server, figures, options.out)
    print(f"{options.out} holds the figures of {server}.")


def measured(samples: int) -> tuple[str, Figures]:
    """The server's name and the figures; what was stored for them is gone afterwards."""
    from catalog.selectors import is_empty
    from ecommerce.core import mongo
    from ecommerce.core.indexes import ensure_indexes
    from tests import operations

    operations.watch()
    mongo.connect()
    if not is_empty():
        sys.exit("There are products in this database. Name one without any in MONGODB_URI.")
    ensure_indexes()
    try:
        adders = {lines: adder(lines) for lines in LINES}
        return server_name(), figures_of(adders, samples)
    finally:
        _clear()
        mongo.disconnect()


def _clear() -> None:
    from carts.documents import ShoppingCart
    from catalog.documents import Product
    from ecommerce.core.documents import IdempotencyRecord
    from ecommerce.core.mongo import collection

    for document in (Product, ShoppingCart, IdempotencyRecord):
        collection(document).drop()


if __name__ == "__main__":
    main()
