"""Counts an answer as django-prometheus's two middlewares would have counted it."""

from functools import lru_cache
from typing import Any

from django_prometheus.middleware import Metrics


def count(
    *, view_name: str, method: str, transport: str, status: int, body_bytes: int, seconds: float
) -> None:
    """Add one answered request to every series that the middlewares keep.

    Args:
        view_name: the route's name; what series are labelled with.
        method: GET or HEAD.
        transport: http or https.
        status: 200 or 304.
        body_bytes: of the answer.
        seconds: that it took.
    """
    for counter in _counters(view_name, method, transport, str(status)):
        counter.inc()
    metrics = Metrics.get_instance()
    metrics.requests_body_bytes.observe(0)
    metrics.responses_body_bytes.observe(body_bytes)
    metrics.requests_latency_before.observe(seconds)
    _latency(view_name, method).observe(seconds)


@lru_cache(maxsize=256)
def _counters(view: str, method: str, transport: str, status: str) -> list[Any]:
    """Looked up once: finding a labelled series takes longer than counting in it."""
    metrics = Metrics.get_instance()
    return [
        metrics.requests_total,
        metrics.responses_total,
        metrics.requests_by_method.labels(method=method),
        metrics.requests_by_transport.labels(transport=transport),
        metrics.requests_by_view_transport_method.labels(
            view=view, transport=transport, method=method
        ),
        metrics.responses_by_status.labels(status=status),
        metrics.responses_by_status_view_method.labels(status=status, view=view, method=method),
        metrics.responses_by_charset.labels(charset="utf-8"),
        metrics.responses_by_templatename.labels(templatename="None"),
    ]


@lru_cache(maxsize=64)
def _latency(view: str, method: str) -> Any:
    metrics = Metrics.get_instance()
    return metrics.requests_latency_by_view_method.labels(view=view, method=method)
