"""`manage.py serve`: the whole product on a laptop, in one command."""

import os
import socket
import sys
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandError

from catalog.selectors import is_empty
from demo import seeding
from ecommerce.core import mongo
from ecommerce.core.commands import ShopCommand
from ecommerce.core.indexes import ensure_indexes


class Command(ShopCommand):
    """Prepares the store, says where everything is, and becomes gunicorn."""

    help = "Ensure indexes, fill an empty store of development with demo data, and serve."
    examples: ClassVar[str] = """
  manage.py serve                         http://127.0.0.1:8000
  PORT=9000 manage.py serve               another port
  MONGODB_URI=mongodb://127.0.0.1/shop manage.py serve      a real MongoDB
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=_port, default=os.environ.get("PORT", "8000"))

    def run(self, **options: Any) -> None:
        """Does not return: the process goes on as gunicorn."""
        host, port = options["host"], options["port"]
        _check_free(host, port)
        ensure_indexes()
        self._seed_if_empty()
        self._say_where(host, port)
        mongo.disconnect()  # the worker opens the store for itself
        os.environ.update(HOST=host, PORT=str(port), MONGODB_URI=settings.MONGODB_URI)
        sys.stdout.flush()
        os.chdir(settings.BASE_DIR)  # where gunicorn's settings and the product's packages are
        os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"])  # noqa: S606  # nosec B606

    def _seed_if_empty(self) -> None:
        if not settings.DEMO_LOGINS or not is_empty():  # a new shop sells nothing that is made up
            return
        self.stdout.write("The store is empty: adding a demo catalog.")
        seeding.seed_demo_logins()
        seeding.seed_products(200, seed=1)

    def _say_where(self, host: str, port: int) -> None:
        reached = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104  # nosec B104
        reached = "::1" if reached == "::" else reached
        base = f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
        embedded = mongo.uses_embedded_store()
        store = f"{settings.STORE_PATH} (embedded, for development)" if embedded else "MongoDB"
        cache = "Redis" if settings.REDIS_URL else "this process (set REDIS_URL)"
        lines = [
            "",
            f"  {settings.APP_NAME}",
            f"    API                  {base}/products/",
            f"    Documentation        {base}/docs   {base}/redoc",
            *([f"    Browsable interface  {base}/"] if settings.BROWSABLE_API else []),
            f"    Store                {store}",
            f"    Cache                {cache}",
        ]
        if settings.DEMO_LOGINS:
            logins = "   ".join(f"{name} / {word}" for name, word, _ in seeding.DEMO_LOGINS)
            lines.append(f"    Demo logins          {logins}")
        self.stdout.write("\n".join([*lines, "    Ctrl-C ends it.", ""]))


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise ArgumentTypeError(f"PORT or --port is 1 to 65535, not {text!r}")
    return int(text)


def _check_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            raise CommandError(
                f"Cannot listen on {host}:{port} ({fault.strerror}). Is another server running? "
                f"Stop it, or choose another port: make run PORT={port + 1}"
            ) from None
