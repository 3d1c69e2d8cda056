"""What operators and charts of others are given: no schema of Kubernetes knows it."""

import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from deploy.prometheus_rules import NAMESPACES, manifest
from tests.ops.conftest import needs
from tests.ops.kubernetes import FOLDER, Manifest, the
from tests.queries import ROOT

pytestmark = pytest.mark.ops

GUIDE: Final = (ROOT / "docs" / "deploy.md").read_text("utf-8")
WITH_OPERATORS: Final = ("staging", "production")


def adapter() -> dict[str, Any]:
    """The values of the Prometheus adapter's chart."""
    values = FOLDER / "components" / "prometheus" / "adapter-values.yaml"
    given: dict[str, Any] = yaml.safe_load(values.read_text("utf-8"))
    return given


# --- Prometheus ----------------------------------------------------------------------------------


def test_the_adapter_asks_the_prometheus_that_its_operator_runs() -> None:
    # Its operator makes the Service of this name; the chart's default is one in `default`.
    assert adapter()["prometheus"] == {
        "url": "http://prometheus-operated.monitoring.svc", "port": 9090,
    }  # fmt: skip
    assert "in `monitoring`" in GUIDE


def test_the_adapter_offers_our_figure_and_none_of_the_charts_own() -> None:
    assert adapter()["rules"]["default"] is False
    assert len(adapter()["rules"]["custom"]) == 1


def test_the_guide_says_how_the_stack_finds_objects_without_its_label() -> None:
    for kind in ("serviceMonitor", "rule"):
        assert f"{kind}SelectorNilUsesHelmValues" in GUIDE


DOWN_BESIDE_UP: Final = """
rule_files: [shop.yml, shop-staging.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - { series: 'up{job="api",namespace="shop",pod="a"}', values: '0x10' }
      - { series: 'up{job="api",namespace="shop-staging",pod="b"}', values: '1x10' }
    promql_expr_test:
      - expr: 'ALERTS{alertname=~"Api.*",alertstate="firing"}'
        eval_time: 5m
        exp_samples:
          - labels: >-
              ALERTS{alertname="ApiDown",alertstate="firing",namespace="shop",severity="page"}
            value: 1
"""


def test_a_shop_that_is_down_is_noticed_though_another_is_up(tmp_path: Path) -> None:
    needs("promtool", package="prometheus")
    for namespace in NAMESPACES.values():
        rules = yaml.safe_dump(manifest(namespace)["spec"])
        (tmp_path / f"{namespace}.yml").write_text(rules, "utf-8")
    (tmp_path / "case.yml").write_text(DOWN_BESIDE_UP, "utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", str(tmp_path / "case.yml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


# --- MongoDB -------------------------------------------------------------------------------------


def database(overlay: str) -> Manifest:
    """What Percona's operator is asked for."""
    spec: Manifest = the(overlay, "PerconaServerMongoDB", "mongodb")["spec"]
    return spec


@pytest.mark.parametrize("overlay", WITH_OPERATORS)
def test_the_operator_makes_the_shops_user_with_what_its_commands_need(overlay: str) -> None:
    assert database(overlay)["users"] == [
        {
            "name": "shop",
            "db": "admin",
            "passwordSecretRef": {"name": "mongodb-shop", "key": "password"},
            "roles": [
                {"name": "readWrite", "db": "ecommerce"},
                {"name": "clusterManager", "db": "admin"},
            ],
        }
    ]


@pytest.mark.parametrize("overlay", WITH_OPERATORS)
def test_a_cursor_goes_on_in_the_mongos_that_has_it(overlay: str) -> None:
    mongos = database(overlay)["sharding"]["mongos"]
    assert mongos["expose"] == {"type": "ClusterIP", "servicePerPod": True}
    hosts = [f"mongodb-mongos-{number}" for number in range(mongos["size"])]
    uris = re.findall(r"mongodb://shop:\S+@(\S+)/ecommerce\?authSource=admin", GUIDE)
    assert uris
    assert {uri.replace(":27017", "") for uri in uris} == {",".join(hosts)}


@pytest.mark.parametrize("overlay", WITH_OPERATORS)
def test_the_database_is_backed_up_nightly_and_to_the_minute(overlay: str) -> None:
    backup = database(overlay)["backup"]
    assert backup["enabled"] is True
    assert backup["pitr"] == {"enabled": True, "oplogSpanMin": 1}
    ((name, storage),) = backup["storages"].items()
    assert storage["s3"]["credentialsSecret"] == "mongodb-backup"
    assert [task["storageName"] for task in backup["tasks"] if task["enabled"]] == [name]


def test_each_overlay_keeps_its_backups_in_a_place_of_its_own() -> None:
    places = [
        (one["s3"]["bucket"], one["s3"].get("prefix"))
        for overlay in WITH_OPERATORS
        for one in database(overlay)["backup"]["storages"].values()
    ]
    assert len(set(places)) == len(WITH_OPERATORS)


@pytest.mark.parametrize("overlay", WITH_OPERATORS)
def test_the_database_reaches_the_place_of_its_backups(overlay: str) -> None:
    egress = the(overlay, "NetworkPolicy", "mongodb")["spec"]["egress"]
    assert {"ports": [{"protocol": "TCP", "port": 443}]} in egress


@pytest.mark.parametrize("secret", ["shop", "shop-tls", "mongodb-shop", "mongodb-backup"])
def test_the_guide_says_how_every_secret_is_made(secret: str) -> None:
    assert re.search(rf"kubectl create secret \w+ {secret} ", GUIDE)
