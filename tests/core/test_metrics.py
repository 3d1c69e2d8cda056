"""What is counted, under which labels, and that no client can make a series."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any, Final

import pytest
from bson import ObjectId
from django.urls import URLResolver, get_resolver
from prometheus_client import REGISTRY, Metric
from pymongo import monitoring

from accounts.errors import LoginLockedError
from catalog.documents import ProductRow
from catalog.importing.jobs import run_next, work_on_imports
from catalog.services import ImportJobService
from ecommerce.core import metrics, mongo_metrics
from ecommerce.core.document_classes import documents
from ecommerce.core.mongo_metrics import CommandMetrics, PoolMetrics
from ecommerce.core.rate_limits.policies import POLICIES
from tests.client import PASSWORD, ApiClient, Person
from tests.queries import ROOT

_METHODS: Final = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
    "<invalid method>",
}  # fmt: skip


def value(series: str, **labels: str) -> float:
    """One series; 0 where it is not there."""
    return REGISTRY.get_sample_value(series, labels) or 0.0


def added(call: Callable[[], Any], series: str, **labels: str) -> float:
    """What a call adds to a series."""
    before = value(series, **labels)
    call()
    return value(series, **labels) - before


def sign_in(anyone: ApiClient, password: str) -> Any:
    return anyone.form("/token", username="alice", password=password)


# --- the shop -----------------------------------------------------------------------------------


def test_a_registration_is_counted_and_a_refused_one_is_not(anyone: ApiClient) -> None:
    body = {"username": "carol", "email": "carol@example.com", "password": PASSWORD}
    assert added(lambda: anyone.post("/users/", body), "shop_registrations_total") == 1
    assert added(lambda: anyone.post("/users/", body), "shop_registrations_total") == 0


def test_a_registration_that_is_sent_twice_is_counted_once(anyone: ApiClient) -> None:
    body = {"username": "carol", "email": "carol@example.com", "password": PASSWORD}

    def twice() -> None:
        for _ in range(2):
            assert anyone.post("/users/", body, Idempotency_Key="key-000000000001").status == 201

    assert added(twice, "shop_registrations_total") == 1


@pytest.mark.parametrize(
    ("password", "result"), [(PASSWORD, "success"), ("wrong-password", "invalid")]
)
def test_a_login_is_counted_by_its_result(
    password: str, result: str, alice: Person, anyone: ApiClient
) -> None:
    call = lambda: sign_in(anyone, password)  # noqa: E731
    assert added(call, "shop_logins_total", result=result) == 1


def test_a_login_that_is_locked_out_is_no_wrong_password(
    alice: Person, anyone: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(**_: Any) -> None:
        raise LoginLockedError(30)

    monkeypatch.setattr("accounts.login_limits.begin", locked)
    before = value("shop_logins_total", result="invalid")
    assert added(lambda: sign_in(anyone, PASSWORD), "shop_logins_total", result="locked") == 1
    assert value("shop_logins_total", result="invalid") == before


def test_an_add_to_a_cart_is_counted_with_what_the_cart_is_worth_in_minor_units(
    alice: Person, lamp: ProductRow
) -> None:
    cart = alice.api.post("/shopping-carts/", {})["id"]
    item = {"product_id": str(lamp["_id"]), "quantity": 2}
    add = lambda: alice.api.post(f"/shopping-carts/{cart}/items", item)  # noqa: E731
    assert added(add, "shop_cart_adds_total", line="new") == 1
    assert added(add, "shop_cart_adds_total", line="raised") == 1
    worth = added(add, "shop_cart_value_minor_units_sum", currency="USD")
    assert worth == 6 * lamp["price_minor"]


def test_a_refusal_for_want_of_stock_is_counted_and_is_no_add(
    alice: Person, lamp: ProductRow
) -> None:
    cart = alice.api.post("/shopping-carts/", {})["id"]
    item = {"product_id": str(lamp["_id"]), "quantity": 11}
    adds = value("shop_cart_adds_total", line="new")

    def refused() -> None:
        assert alice.api.post(f"/shopping-carts/{cart}/items", item).status == 409

    assert added(refused, "shop_stock_refusals_total") == 1
    assert value("shop_cart_adds_total", line="new") == adds


def test_imports_that_wait_are_counted_from_the_oldest_on() -> None:
    def send() -> ObjectId:
        line = b'{"name": "Lamp", "price": 5}\n'
        job = ImportJobService.create(
            blocks=[line], format_name="jsonl", dry_run=True, by=ObjectId()
        )
        return job["_id"]

    def waiting() -> tuple[float, float]:
        oldest = value("shop_imports_oldest_waiting_timestamp_seconds")
        return value("shop_imports_waiting"), oldest

    ids = [send() for _ in range(3)]
    assert run_next(stop=lambda: False)
    assert waiting() == (2, ids[1].generation_time.timestamp())
    work = lambda: work_on_imports(Event())  # noqa: E731
    assert added(work, "shop_imports_total", result="done") == 2
    assert waiting() == (0, 0)


def test_an_import_whose_file_cannot_be_read_is_counted_as_failed() -> None:
    ImportJobService.create(blocks=[b"[{"], format_name="json", dry_run=False, by=ObjectId())
    work = lambda: work_on_imports(Event())  # noqa: E731
    assert added(work, "shop_imports_total", result="failed") == 1


# --- limits and kept answers --------------------------------------------------------------------


def test_a_refused_request_is_counted_under_its_policy(
    anyone: ApiClient, limits_on: None, settings: Any
) -> None:
    settings.RATE_LIMITS = {"search": 1}
    search = lambda: anyone.get("/products/?q=lamp")  # noqa: E731
    assert added(search, "shop_rate_limited_total", policy="search") == 0
    assert added(search, "shop_rate_limited_total", policy="search") == 1


def test_a_kept_answer_is_counted_by_where_it_was_found(
    anyone: ApiClient, lamp: ProductRow, settings: Any
) -> None:
    settings.RESPONSE_CACHE = "full"  # whatever the run says
    read = lambda: anyone.get(f"/products/{lamp['_id']}")  # noqa: E731
    assert added(read, "shop_kept_answers_total", found="miss") == 1
    assert added(read, "shop_kept_answers_total", found="shared") == 1


def test_no_request_is_left_in_progress(anyone: ApiClient, lamp: ProductRow) -> None:
    before = value("shop_requests_in_progress")
    for path in ("/products/", "/nowhere", "/livez", "/openapi.json", "/users/me"):
        anyone.get(path)
    assert value("shop_requests_in_progress") == before


# --- MongoDB ------------------------------------------------------------------------------------


class Driver:
    """Says what PyMongo says of a command."""

    def __init__(self) -> None:
        self._listener = CommandMetrics()

    def sends(self, name: str, about: object, *, fails: bool = False, **more: Any) -> None:
        command = {name: about, "$db": "shop", **more}
        at = (1, ("127.0.0.1", 27017))
        self._listener.started(monitoring.CommandStartedEvent(command, "shop", *at, 1))
        event: Any = monitoring.CommandFailedEvent if fails else monitoring.CommandSucceededEvent
        end = event(timedelta(milliseconds=3), {"ok": 1}, name, *at, 1)
        (self._listener.failed if fails else self._listener.succeeded)(end)


COUNT: Final = "shop_mongodb_command_duration_seconds_count"
SUM: Final = "shop_mongodb_command_duration_seconds_sum"
FAILURES: Final = "shop_mongodb_command_failures_total"


def test_a_command_is_timed_by_name_and_collection() -> None:
    labels = {"command": "find", "collection": "products"}
    driver, seconds = Driver(), value(SUM, **labels)
    assert added(lambda: driver.sends("find", "products"), COUNT, **labels) == 1
    assert value(SUM, **labels) - seconds == pytest.approx(0.003)


def test_the_next_page_of_a_find_is_counted_for_its_collection() -> None:
    more = lambda: Driver().sends("getMore", 7, collection="products")  # noqa: E731
    assert added(more, COUNT, command="getMore", collection="products") == 1


def test_a_command_that_failed_is_counted_among_the_failures_too() -> None:
    labels = {"command": "update", "collection": "products"}
    fail = lambda: Driver().sends("update", "products", fails=True)  # noqa: E731
    assert added(fail, FAILURES, **labels) == 1
    assert added(fail, COUNT, **labels) == 1


def test_the_pool_says_how_many_connections_are_open_and_in_use() -> None:
    pool, at = PoolMetrics(), ("127.0.0.1", 27017)
    used, opened = (value("shop_mongodb_connections", state=s) for s in ("in_use", "open"))
    pool.connection_created(monitoring.ConnectionCreatedEvent(at, 1))
    pool.connection_checked_out(monitoring.ConnectionCheckedOutEvent(at, 1, 0.2))
    assert value("shop_mongodb_connections", state="open") == opened + 1
    assert value("shop_mongodb_connections", state="in_use") == used + 1
    pool.connection_checked_in(monitoring.ConnectionCheckedInEvent(at, 1))
    pool.connection_closed(monitoring.ConnectionClosedEvent(at, 1, "idle"))
    assert value("shop_mongodb_connections", state="open") == opened
    assert value("shop_mongodb_connections", state="in_use") == used


# --- labels -------------------------------------------------------------------------------------


def route_names() -> set[str]:
    """Every name of a route; `<unnamed view>` where there is none."""
    found, waiting = {"<unnamed view>"}, [("", get_resolver())]
    while waiting:
        before, resolver = waiting.pop()
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLResolver):
                space = f"{before}{pattern.namespace}:" if pattern.namespace else before
                waiting.append((space, pattern))
            else:
                found.add(f"{before}{pattern.name}")
    return found


def allowed() -> dict[str, Callable[[str], object]]:
    """For each label of the product's series, whether it may have a value."""
    commands = {*mongo_metrics._COMMANDS, "other"}
    collections = {document._get_collection_name() for document in documents()} | {"other"}
    results = {"success", "invalid", "unverified", "locked", "busy", "error", "done", "failed"}
    routes = route_names()
    return {
        "method": _METHODS.__contains__,
        "view": routes.__contains__,
        "transport": {"http", "https"}.__contains__,
        "status": lambda given: re.fullmatch(r"[1-5]\d\d", given),
        "charset": {"utf-8"}.__contains__,
        "templatename": lambda given: given == "None" or given.endswith((".html", "]")),
        "type": lambda given: given.isidentifier(),
        "found": {"process", "shared", "miss"}.__contains__,
        "policy": POLICIES.__contains__,
        "result": results.__contains__,
        "line": {"new", "raised"}.__contains__,
        "currency": lambda given: re.fullmatch(r"[A-Z]{3}", given),
        "kind": {"away", "refused"}.__contains__,
        "command": commands.__contains__,
        "collection": collections.__contains__,
        "reason": {"timeout", "pool_closed", "connection_error"}.__contains__,
        "state": {"open", "in_use"}.__contains__,
        "le": lambda given: given == "+Inf" or float(given) >= 0,
    }


def hostile(anyone: ApiClient, alice: Person) -> None:
    """What somebody sends who wants to fill a time series database."""
    for number in range(40):
        evil = f"evil{number}"
        anyone.send(evil.upper(), "/products/")
        anyone.send("PROPFIND", f"/{evil}")
        anyone.get(f"/products/{evil}?{evil}={evil}", Accept=f"text/{evil}")
        anyone.send("POST", "/users/", raw=b"{", content_type=f"text/json; charset={evil}")
        anyone.send("POST", "/token", raw=b"x", content_type=f"text/{evil}")
        anyone.get("/products/", Host=f"{evil}.example", X_Forwarded_Proto=evil)
        alice.api.post("/shopping-carts/", {"currency": evil}, Origin=f"https://{evil}.example")
        Driver().sends(evil, evil, fails=number % 2 == 0)
        Driver().sends("find", evil)
        Driver().sends("aggregate", 1)


def test_no_input_makes_a_series(anyone: ApiClient, alice: Person, limits_on: None) -> None:
    hostile(anyone, alice)
    rules = allowed()
    seen = [
        (sample.name, label, given)
        for metric in REGISTRY.collect()
        if metric.name.startswith(("django_http", "shop_"))
        for sample in metric.samples
        for label, given in sample.labels.items()
    ]
    assert [one for one in seen if not rules[one[1]](one[2])] == []
    assert {given for _, label, given in seen if label == "method"} >= {"GET", "<invalid method>"}
    assert not [one for one in seen if "evil" in one[2].lower()]


# --- the documentation --------------------------------------------------------------------------


def ours() -> list[Metric]:
    """Every series of the product, without its labels."""
    return [metric for metric in REGISTRY.collect() if metric.name.startswith("shop_")]


def test_docs_metrics_has_a_row_for_every_series() -> None:
    metrics.CART_VALUE.labels("USD")  # without one, its labels are not seen
    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    rows = re.findall(r"^\| `(shop_\w+)` \| (\w+) \| (.*?) \|", text, re.MULTILINE)
    written = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert len(written) == len(rows)
    assert written == {
        metric.name + ("_total" if metric.type == "counter" else ""): (
            metric.type,
            {label for sample in metric.samples for label in sample.labels} - {"le"},
        )
        for metric in ours()
    }


def test_what_the_documentation_says_of_the_library_is_there() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    rows = re.findall(r"^\| `(django_\w+)` \| (\w+) ", text, re.MULTILINE)
    kinds = {metric.name: metric.type for metric in REGISTRY.collect()}
    assert len(rows) == 4
    assert [kinds[name.removesuffix("_total")] for name, _ in rows] == [kind for _, kind in rows]


def test_a_command_beside_a_server_leaves_no_gauges_among_those_of_its_workers(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "metrics"
    variables = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "ecommerce.settings.dev", "MONGODB_URI": "",
        "STORE_PATH": str(tmp_path / "store.sqlite3"), "PROMETHEUS_MULTIPROC_DIR": str(folder),
    }  # fmt: skip
    command = [sys.executable, "manage.py", "migrate"]
    subprocess.run(command, cwd=ROOT, env=variables, check=True, stdout=subprocess.DEVNULL)
    assert not folder.exists()


def test_names_follow_the_conventions() -> None:
    assert len(ours()) > 15
    for metric in ours():
        assert re.fullmatch(r"shop(_[a-z]+)+", metric.name)
        if metric.type == "histogram":
            assert metric.name.endswith(("_seconds", "_minor_units"))
        assert metric.documentation.endswith(".")


def test_metrics_are_only_read(anyone: ApiClient) -> None:
    assert anyone.get("/metrics").status == 200
    answer = anyone.post("/metrics", {})
    assert answer.outcome == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD"
