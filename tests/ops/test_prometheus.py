"""The rules hold what they say, and every panel of every dashboard has something to show."""

import json
import math
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.live.conftest import RedisServer, wire_uri
from tests.live.server import ROOT, LiveServer, free_port, serve
from tests.ops.compose import everything
from tests.ops.conftest import needs
from tests.ops.exporters import blackbox_exporter, https_site, redis_exporter
from tests.ops.fleet import PASSWORD, eventually
from tests.ops.prometheus import FOLDER, RULES, Prometheus, Target, prometheus

pytestmark = [pytest.mark.ops, pytest.mark.timeout(180)]
__all__ = ["wire_uri"]

GRAFANA: Final = ROOT / "docker" / "grafana"
CASES: Final = sorted((ROOT / "tests" / "ops" / "rules").glob("*.yml"))
DASHBOARDS: Final = ("api", "business", "mongodb", "redis")
_SERIES: Final = re.compile(
    r"\b(?:(?:shop|django|redis|haproxy|probe)_|(?:namespace_pod|job|job_view):)[\w:]+"
)


def of_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def rules(kind: str) -> list[dict[str, Any]]:
    """All rules that are an `alert`, or all that `record`."""
    groups = [group for file in sorted(RULES.glob("*.yml")) for group in of_yaml(file)["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def panels(dashboard: str) -> list[dict[str, Any]]:
    text = (GRAFANA / "dashboards" / f"{dashboard}.json").read_text("utf-8")
    found: list[dict[str, Any]] = json.loads(text)["panels"]
    return found


def checked(*command: str) -> str:
    """What a checker prints; where it finds a fault, the test fails with that."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# --- files ---------------------------------------------------------------------------------------


def test_the_configuration_and_the_rules_are_valid() -> None:
    needs("promtool", package="prometheus")
    checked("promtool", "check", "config", str(FOLDER / "prometheus.yml"))
    checked("promtool", "check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES.glob("*")))


def test_every_alert_fires_for_what_it_is_about_and_is_quiet_otherwise() -> None:
    needs("promtool", package="prometheus")
    checked("promtool", "test", "rules", *map(str, CASES))


def test_the_cases_evaluate_what_is_recorded_before_the_alerts_on_it() -> None:
    """By itself promtool takes groups in any order, and an alert may see what is too old."""
    files = [of_yaml(RULES / name)["groups"] for name in ("recording.yml", "alerts.yml")]
    order = [group["name"] for groups in files for group in groups]
    assert len(order) == len(set(order)), "a group has one name in all files"
    assert [of_yaml(file)["group_eval_order"] for file in CASES] == [order] * len(CASES)


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_quiet() -> None:
    cases = [
        (check["alertname"], bool(check["exp_alerts"]))
        for file in CASES
        for case in of_yaml(file)["tests"]
        for check in case["alert_rule_test"]
    ]
    names = [rule["alert"] for rule in rules("alert")]
    assert set(cases) == {(name, fires) for name in names for fires in (True, False)}
    assert len(names) == len(set(names)) > 20


def test_the_redis_that_may_not_be_full_is_asked_by_the_name_of_its_exporter() -> None:
    (rule,) = (one for one in rules("alert") if one["alert"] == "RedisMemoryFull")
    (pattern,) = re.findall(r'instance=~"([^"]+)"', rule["expr"])
    (job,) = (
        one
        for one in of_yaml(FOLDER / "prometheus.yml")["scrape_configs"]
        if one["job_name"] == "redis"
    )
    asked = [one for one in job["static_configs"][0]["targets"] if re.fullmatch(pattern, one)]
    assert asked == ["redis-limits-exporter:9121"]
    services = everything()
    (address,) = services["redis-limits-exporter"]["environment"].values()
    full_by_design = {
        name: "allkeys-lru" in services[name]["command"] for name in ("redis-cache", "redis-limits")
    }
    assert address == "redis://redis-limits:6379"
    assert full_by_design == {"redis-cache": True, "redis-limits": False}


def test_every_alert_says_what_it_means_and_where_to_read_what_to_do() -> None:
    for rule in rules("alert"):
        assert rule["labels"] == {"severity": rule["labels"]["severity"]}
        assert rule["labels"]["severity"] in {"page", "ticket"}
        notes = rule["annotations"]
        assert set(notes) == {"summary", "description", "runbook_url"}
        assert notes["runbook_url"].endswith(f"/docs/operations.md#{rule['alert'].lower()}")


@pytest.mark.parametrize("dashboard", DASHBOARDS)
def test_a_dashboard_is_whole(dashboard: str) -> None:
    board = json.loads((GRAFANA / "dashboards" / f"{dashboard}.json").read_text("utf-8"))
    assert board["uid"] == f"shop-{dashboard}"
    (source,) = of_yaml(GRAFANA / "provisioning/datasources/prometheus.yml")["datasources"]
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert {one["datasource"]["uid"] for one in panel["targets"]} == {source["uid"]}
        place = panel["gridPos"]
        cells = {
            (place["x"] + across, place["y"] + down)
            for across in range(place["w"])
            for down in range(place["h"])
        }
        assert taken.isdisjoint(cells), panel["title"]
        taken |= cells
    assert max(x for x, _ in taken) < 24
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))


def test_every_dashboard_is_provisioned() -> None:
    (provider,) = of_yaml(GRAFANA / "provisioning/dashboards/shop.yml")["providers"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
    assert {path.stem for path in (GRAFANA / "dashboards").iterdir()} == set(DASHBOARDS)


# --- a live Prometheus ---------------------------------------------------------------------------


@dataclass
class Watched:
    """A shop under load, and the Prometheus that scrapes it."""

    shop: LiveServer
    prometheus: Prometheus
    redis: RedisServer


@pytest.fixture(scope="module")
def watched(wire_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Two workers on MongoDB's protocol and a real Redis, scraped each second; load has begun."""
    needs("prometheus", package="prometheus")
    needs(
        "redis-server",
        "prometheus-redis-exporter",
        package="redis-server prometheus-redis-exporter",
    )
    needs("prometheus-blackbox-exporter", "openssl", package="prometheus-blackbox-exporter openssl")
    folder = tmp_path_factory.mktemp("watched")
    port = free_port()
    variables = {
        "MONGODB_URI": wire_uri, "WEB_CONCURRENCY": "2",
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
    }  # fmt: skip
    with ExitStack() as ends:
        redis = RedisServer(folder)
        ends.callback(redis.stop)
        shop = ends.enter_context(serve({**variables, "REDIS_URL": redis.url}, port=port))
        secure = ends.enter_context(https_site(folder))
        found = ends.enter_context(
            prometheus(
                folder,
                interval=1,
                redis=[ends.enter_context(redis_exporter(redis))],
                blackbox=[ends.enter_context(blackbox_exporter(folder))],
                site=[f"{shop.base}/products/?limit=1", secure],
            )
        )
        found.scrape([Target(f"127.0.0.1:{port}", {"namespace": "shop", "pod": "api-1"})])
        yield Watched(shop, found, redis)


@pytest.fixture(scope="module")
def busy(watched: Watched) -> Watched:
    """Everything that is counted has happened, in two rounds with scrapes between and after."""
    shop = watched.shop
    eventually(lambda: bool(watched.prometheus.query('up{job="api"} == 1')), "it is scraped")
    for number in range(2):
        _load(shop, number)
        _scraped(watched.prometheus)
    return watched


def _load(shop: LiveServer, number: int) -> None:
    listed = shop.send("GET", "/products/?limit=100&in_stock=true").json()["items"]
    sold = next(product for product in listed if 9 < product["quantity"] < 900)
    paths = [f"/products/{product['id']}" for product in listed[:5]] + [
        "/products/?q=lamp",
        "/readyz",
    ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda path: shop.send("GET", path), paths * 8))
    name = f"watched{number}"
    body = {"username": name, "email": f"{name}@shop.example", "password": PASSWORD}
    assert shop.send("POST", "/users/", body).status == 201
    wrong = {"username": name, "password": "not-the-password"}
    assert shop.send("POST", "/token", form=wrong).status == 400
    me = shop.sign_in(name, PASSWORD)
    cart = me.send("POST", "/shopping-carts/", {}).json()["id"]
    for quantity, status in ((1, 201), (1, 200), (10_000, 400), (900, 409)):
        item = {"product_id": sold["id"], "quantity": quantity}
        assert me.send("POST", f"/shopping-carts/{cart}/items", item).status == status


def _scraped(found: Prometheus) -> None:
    """Wait for two scrapes from now on, and an evaluation of what they brought."""
    series = "prometheus_target_interval_length_seconds_count"
    before = found.query(f"sum({series})")
    count = before[0][1] if before else 0.0

    def went_on() -> bool:
        now = found.query(f"sum({series})")
        return bool(now) and now[0][1] >= count + 15  # five targets, three times

    eventually(went_on, "it has scraped again")


def _gives(found: Prometheus, expression: str) -> bool:
    """Whether a query has a value that is a number."""
    query = expression.replace("$__rate_interval", "1m")
    return any(not math.isnan(value) for _, value in found.query(query))


def _gives_soon(found: Prometheus, title: str, expression: str) -> None:
    """After a scrape that came too late for a busy machine, the next one brings it again."""
    eventually(lambda: _gives(found, expression), f"{title} gives data: {expression}", 10)


@pytest.mark.parametrize("dashboard", DASHBOARDS)
def test_every_query_of_every_panel_gives_data(dashboard: str, busy: Watched) -> None:
    asked = [
        (panel["title"], target["expr"])
        for panel in panels(dashboard)
        for target in panel["targets"]
    ]
    assert len(asked) >= 8
    for title, expression in asked:
        _gives_soon(busy.prometheus, title, expression)


def test_every_recording_rule_gives_data(busy: Watched) -> None:
    names = [rule["record"] for rule in rules("record")]
    assert len(names) == len(set(names)) > 25
    for name in names:
        _gives_soon(busy.prometheus, name, name)


def test_every_rule_is_evaluated_and_a_healthy_shop_raises_no_alert(busy: Watched) -> None:
    groups = busy.prometheus.get("rules")["groups"]
    health = {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}
    assert set(health) == {
        rule.get("alert") or rule["record"] for rule in rules("alert") + rules("record")
    }
    assert set(health.values()) == {"ok"}
    alerts = busy.prometheus.get("alerts")["alerts"]
    assert [one["labels"]["alertname"] for one in alerts if one["state"] == "firing"] == []


def test_every_series_that_is_asked_for_exists(busy: Watched) -> None:
    """A misspelt name is no error to Prometheus: an alert on it would be quiet for ever."""
    asked = [target["expr"] for name in DASHBOARDS for p in panels(name) for target in p["targets"]]
    asked += [rule["expr"] for rule in rules("alert") + rules("record")]
    names = {name for expression in asked for name in _SERIES.findall(expression)}
    known = set(busy.prometheus.get("label/__name__/values"))
    # That of HAProxy is asked for in test_haproxy.
    assert names - known == {"haproxy_backend_active_servers"}


def test_prometheus_counts_what_the_shop_has_answered(busy: Watched) -> None:
    def counted(series: str) -> float:
        _gives_soon(busy.prometheus, "the shop", series)
        ((_, value),) = busy.prometheus.query(series)
        return value

    assert counted("sum(shop_registrations_total)") == 2
    assert counted('sum(shop_logins_total{result="invalid"})') == 2
    assert counted("sum(shop_stock_refusals_total)") == 2
    assert counted("sum(shop_cart_adds_total)") == 4
    assert counted("sum(shop_threads)") == 2 * 8


def test_a_redis_that_is_gone_is_noticed_by_its_alerts(busy: Watched) -> None:
    """The last test of these: what is broken stays so."""

    def alerts() -> set[str]:
        found = busy.prometheus.get("alerts")["alerts"]
        return {one["labels"]["alertname"] for one in found}

    noticed = {"RedisDown", "RedisBreakerOpen"}
    assert noticed.isdisjoint(alerts())
    busy.redis.stop()
    for _ in range(8):  # either worker finds out when it asks
        assert busy.shop.send("GET", "/products/?limit=1").status == 200
    eventually(lambda: noticed <= alerts(), "both are pending")
    assert busy.prometheus.query('sum(shop_redis_failures_total{kind="away"})')[0][1] >= 1
