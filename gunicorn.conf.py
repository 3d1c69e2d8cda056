"""gunicorn: each value with its reason. HOST, PORT, WEB_CONCURRENCY and WEB_THREADS change them."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from ecommerce.core import draining  # before the fork: the workers share its mark
from ecommerce.core.logs.server import PLAIN_FORMAT
from ecommerce.settings import env  # reads `.env`, as the workers will

_settings = os.environ.get("DJANGO_SETTINGS_MODULE", "ecommerce.settings.production")
_production = _settings == "ecommerce.settings.production"
try:
    _host, _port = env.text("HOST", "127.0.0.1"), env.integer("PORT", 8000, low=1, high=65_535)
    workers = env.processes()  # one for each core of the container; of the embedded store, one
    threads = env.threads()  # more than cores: a request waits more than it computes
    _access_log = env.boolean("ACCESS_LOG", default=_production)
    _drain_seconds = env.integer("DRAIN_SECONDS", 0, low=0, high=600)
    loglevel = env.log_level("GUNICORN_LOG_LEVEL", "warning")  # a start and an end are no news
except env.BadSettingError as problem:
    print(f"Cannot start: {problem}", file=sys.stderr, flush=True)  # noqa: T201
    sys.exit(3)  # what a wrong setting of the workers ends with: ecommerce/wsgi.py

# An IPv6 address stands in brackets, so that its last part is not taken for the port.
bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"
worker_class = "gthread"  # WSGI with threads: Django under ASGI measured 2.6 times slower
keepalive = 75  # seconds; longer than a load balancer keeps its own end (60), which 2 is not
timeout = 30  # a process whose main loop is stuck is replaced; a request in a thread has no end
graceful_timeout = 25  # in-flight requests finish within a pod's 30 s grace
preload_app = False  # PyMongo's clients do not survive a fork: each worker connects by itself
max_requests = 0  # nothing leaks, so nothing is restarted for it
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a disk may stall  # nosec B108
control_socket_disable = True  # no socket on a read-only root
limit_request_line = 8190  # bytes: gunicorn's most, and about what nginx passes on (8 KiB)
accesslog = "-" if _access_log else None  # stdout, apart from what is wrong: that is on stderr
access_log_format = PLAIN_FORMAT  # of development; no query string, which may hold an address
if _production:
    logger_class = "ecommerce.core.logs.server.EcsServerLogger"  # JSON for the log store
wsgi_app = "ecommerce.wsgi:application"  # here, so that every way to start needs no argument

_metrics_dir = os.environ.get("PROMETHEUS_MULTIPROC_DIR")


def on_starting(server: Any) -> None:  # noqa: ARG001
    """Metrics of the workers of a former run would be counted again."""
    if _metrics_dir:
        shutil.rmtree(_metrics_dir, ignore_errors=True)
        Path(_metrics_dir).mkdir(parents=True)


def when_ready(server: Any) -> None:  # noqa: ARG001
    """The balancer hears of an end before it comes: DRAIN_SECONDS, as many as its checks need."""
    draining.drain_before_end(_drain_seconds)


def post_worker_init(worker: Any) -> None:
    """Imports and erasures that were left unfinished go on, and new ones are worked on."""
    from accounts.services import erasures  # needs the settings, so not before
    from catalog.importing import runner
    from ecommerce.core import metrics

    metrics.THREADS.set(worker.cfg.threads)
    runner.server_thread.start()
    erasures.server_thread.start()


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """The row, or the user, under way is finished; the next process goes on behind it. Of what was
    changed while Redis was away nobody else would hear."""
    if not worker.booted:  # it was refused its settings, and has nothing under way
        return
    from accounts.services import erasures
    from catalog.importing import runner
    from ecommerce.core.response_cache import say_the_rest

    threads = (runner.server_thread, erasures.server_thread)
    for thread in threads:  # all at once: they share the seconds that gunicorn leaves
        thread.ask_to_stop()
    for thread in threads:
        thread.stop()
    say_the_rest()


def child_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Gauges of a dead worker must not be summed."""
    if _metrics_dir:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
