"""The WSGI entry point: `gunicorn ecommerce.wsgi`."""

import logging
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecommerce.settings.production")
try:
    django = get_wsgi_application()

    from django.conf import settings

    from ecommerce.core import mongo  # needs settings
    from ecommerce.core.embedded import StoreError
    from ecommerce.core.public_reads import PublicReads

    in_process = settings.RESPONSE_CACHE == "full"
    keeps = settings.RESPONSE_CACHE != "off"
    application = PublicReads(django, in_process=in_process) if keeps else django

    try:
        mongo.connect()  # in the worker, so after the fork; a server is asked at the first request
    except StoreError as problem:
        sys.exit(f"Cannot start: {problem}")
    if mongo.uses_embedded_store():
        logging.getLogger("ecommerce").warning(
            "Data lives in the embedded store, which is for development: one process, one file."
        )
except ImproperlyConfigured as problem:
    sys.exit(f"Cannot start: {problem}")
