"""The WSGI entry point: `gunicorn ecommerce.wsgi`."""

import logging
import os
import sys
from typing import Final, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

_BOOT_ERROR: Final = 3
"""To gunicorn: the next worker would fare no better. With another code it tries for ever."""


def _refuse(problem: Exception) -> NoReturn:
    print(f"Cannot start: {problem}", file=sys.stderr, flush=True)  # noqa: T201
    sys.exit(_BOOT_ERROR)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecommerce.settings.production")
try:
    django = get_wsgi_application()

    from django.conf import settings

    from ecommerce.core import mongo  # needs settings
    from ecommerce.core.embedded import StoreError
    from ecommerce.core.head_requests import HeadWithoutBody
    from ecommerce.core.public_reads import PublicReads

    application = HeadWithoutBody(PublicReads(django, in_process=settings.RESPONSE_CACHE == "full"))

    try:
        mongo.connect()  # in the worker, so after the fork; a server is asked at the first request
    except StoreError as problem:
        _refuse(problem)
    if mongo.uses_embedded_store():
        logging.getLogger("ecommerce").warning(
            "Data lives in the embedded store, which is for development: one process, one file."
        )
except ImproperlyConfigured as problem:
    _refuse(problem)
