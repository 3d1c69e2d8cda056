"""Probes and metrics: what the balancer, the scraper and the engineer on call ask."""

from typing import Any

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from ecommerce.core import draining, health
from tests.client import ApiClient


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_last", (float("-inf"), ""))


def away(*_: Any, **__: Any) -> None:
    raise ServerSelectionTimeoutError("no server")


def test_alive_and_ready(anyone: ApiClient) -> None:
    assert anyone.get("/livez").json() == {"status": "ok"}
    answer = anyone.get("/readyz")
    assert (answer.status, answer["status"]) == (200, "ok")
    assert answer.headers["Cache-Control"] == "no-store"


def test_not_ready_but_alive_without_the_database(
    anyone: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecommerce.core.mongo.ping", away)
    assert anyone.get("/livez").status == 200
    answer = anyone.get("/readyz")
    assert (answer.status, answer["fault"]) == (503, "the database does not answer")


def test_a_server_that_is_about_to_end_is_alive_but_not_ready(
    anyone: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "_mark", b"\1")
    assert anyone.get("/livez").status == 200
    answer = anyone.get("/readyz")
    assert (answer.status, answer["fault"]) == (503, "the server is about to end")


def test_readiness_is_asked_once_a_second(
    anyone: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert anyone.get("/readyz").status == 200
    monkeypatch.setattr("ecommerce.core.mongo.ping", away)
    assert anyone.get("/readyz").status == 200


def test_a_database_that_is_away_is_503_with_retry_after(
    anyone: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.selectors.product_page", away)
    answer = anyone.get("/products/")
    assert answer.outcome == (503, "store_unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert "no server" not in answer.body.decode()


def test_metrics_count_requests(anyone: ApiClient) -> None:
    anyone.get("/products/")
    assert b"django_http_requests_total_by_view_transport_method_total" in (
        anyone.get("/metrics").body
    )
