"""Workers: processes that import files while servers answer, woken through Redis by huey.

A message says no more than that there is something to do; which job, and who works on it, is
decided by the leases of the jobs. So a message that is lost, or comes twice, does no harm.
"""

import logging
from functools import cache
from threading import Event
from typing import Any, Final

from django.conf import settings
from huey import RedisHuey, crontab
from huey.serializer import SignedSerializer
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from catalog.importing.jobs import work_on_imports
from ecommerce.core.mongo import uses_embedded_store

logger = logging.getLogger(__name__)

_TIMEOUT: Final = 0.25
"""Seconds that a Redis which is away or paused may cost an upload."""
_LOOK_SECONDS: Final = 1.0
"""How often an idle worker asks Redis, at most."""
_STOP_SECONDS: Final = 20
"""How long a row may take to its end when the worker has to stop."""
_stopping = Event()


def may_exist() -> bool:
    """Whether there may be workers: with a Redis, and a store that processes share."""
    return bool(settings.REDIS_URL) and not uses_embedded_store()


def wake() -> None:
    """Tell a worker that there is something to do; one message that waits is enough for all."""
    try:
        queue = _queue()
        if not queue.pending_count():
            queue.enqueue(_task(queue).s())
    except (RedisError, OSError) as fault:
        logger.warning("Workers are not told of an import, a server will take it: %s", fault)


def run(*, threads: int) -> None:
    """Be a worker until SIGTERM or SIGINT; the rows under way are finished."""
    global _stopping
    queue = _queue()
    _task(queue)
    queue.periodic_task(crontab(minute="*"), name="look_for_imports")(_work)
    consumer = queue.create_consumer(
        workers=threads,
        max_delay=_LOOK_SECONDS,
        graceful_signal="TERM",
        shutdown_timeout=_STOP_SECONDS,
    )
    _stopping = consumer.stop_flag
    wake()  # there may be jobs that were left unfinished
    consumer.run()


def _work() -> None:
    work_on_imports(_stopping)


@cache
def _queue() -> Any:
    pool = ConnectionPool.from_url(
        settings.REDIS_URL,
        socket_timeout=_TIMEOUT,
        socket_connect_timeout=_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )
    return RedisHuey(
        "shop",
        connection_pool=pool,
        blocking=False,  # a read that waits would need a longer timeout
        results=False,
        # Messages are pickles: without the signature, who can write to Redis could run code here.
        serializer=SignedSerializer(secret=settings.SECRET_KEY),
    )


@cache
def _task(queue: Any) -> Any:
    return queue.task(name="work_on_imports")(_work)
