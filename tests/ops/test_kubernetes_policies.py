"""What the manifests must never say, and where they must agree with the product."""

import math
import os
import re
import runpy
import subprocess
import sys
from typing import Any, Final

import pytest
import yaml
from django.conf import settings
from django.urls import resolve

from deploy.capacity.sizing import RATES, Sizing
from deploy.prometheus_rules import NAMESPACES, RULES, manifest
from ecommerce.settings import env
from tests.client import ApiClient
from tests.ops.kubernetes import (
    FOLDER,
    OVERLAYS,
    Manifest,
    commands,
    config,
    known_variables,
    of_kind,
    ours,
    public_parts,
    rendered,
    templates,
    the,
)
from tests.queries import ROOT

pytestmark = [pytest.mark.ops, pytest.mark.parametrize("overlay", OVERLAYS)]

SECRET: Final = {
    "SECRET_KEY": "a-key-of-tests-" + "0123456789abcdef" * 3,
    "MONGODB_URI": "mongodb://mongodb-mongos-0,mongodb-mongos-1/ecommerce", "REDIS_URL": "redis://redis:6379/0",
    "EMAIL_URL": "smtp+tls://user:password@mail.shop.example:587",
}  # fmt: skip
"""The keys that the Secret must have, with values that exist nowhere."""
HELPERS: Final = {"POD_IP", "SHOP_HOSTS"}
"""Variables that other variables of a pod are made of."""


def container(template: Manifest) -> Manifest:
    (only,) = template["spec"]["containers"]
    return dict(only)


def api(overlay: str) -> Manifest:
    return ours(overlay)["Deployment/api"]


# --- pods ----------------------------------------------------------------------------------------


def test_every_pod_is_restricted(overlay: str) -> None:
    for name, template in templates(overlay).items():
        pod, inside = template["spec"], container(template)["securityContext"]
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert {"hostNetwork", "hostPID", "hostIPC"}.isdisjoint(pod), name
        assert not [volume for volume in pod.get("volumes", []) if "hostPath" in volume], name
        assert inside == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name  # fmt: skip


def test_all_that_a_pod_of_ours_writes_to_is_a_bounded_tmp(overlay: str) -> None:
    for template in ours(overlay).values():
        (volume,) = template["spec"]["volumes"]
        assert container(template)["volumeMounts"] == [
            {"name": volume["name"], "mountPath": "/tmp"},
        ]  # fmt: skip
        assert set(volume["emptyDir"]) == {"sizeLimit"}
    assert config(overlay)["PROMETHEUS_MULTIPROC_DIR"].startswith("/tmp/")


def test_every_thread_may_take_in_the_largest_file_before_its_pod_is_evicted(overlay: str) -> None:
    (volume,) = api(overlay)["spec"]["volumes"]
    threads = int(config(overlay)["WEB_CONCURRENCY"]) * int(config(overlay)["WEB_THREADS"])
    needed = threads * max(settings.FILE_UPLOAD_LIMITS.values())
    assert volume["emptyDir"]["sizeLimit"] == "1Gi"
    assert needed < 1024**3


def test_every_image_has_a_tag_and_none_is_latest(overlay: str) -> None:
    for template in templates(overlay).values():
        _, _, tag = container(template)["image"].partition(":")
        assert tag not in {"", "latest"}


def test_every_pod_asks_for_cpu_and_memory_and_has_a_limit_of_memory(overlay: str) -> None:
    for template in templates(overlay).values():
        resources = container(template)["resources"]
        assert set(resources["requests"]) == {"cpu", "memory"}
        assert set(resources["limits"]) == {"memory"}


def test_every_command_is_one_of_the_product(overlay: str) -> None:
    called = [container(t)["args"] for n, t in ours(overlay).items() if n != "Deployment/api"]
    assert {tuple(args[:2]) for args in called} == {("python", "manage.py")}
    assert {args[2] for args in called} <= commands()
    assert "args" not in container(api(overlay))  # what the image does by itself


def test_options_of_commands_are_understood(overlay: str) -> None:
    for name, template in ours(overlay).items():
        if name.startswith("CronJob/"):
            args = container(template)["args"]
            out = subprocess.run(
                [sys.executable, *args[1:3], "--help"], cwd=ROOT, capture_output=True, text=True,
                check=True,
            ).stdout  # fmt: skip
            assert [arg for arg in args[3:] if arg[:2] == "--" and arg not in out] == []


# --- settings ------------------------------------------------------------------------------------


def test_every_variable_is_one_that_the_product_reads(overlay: str) -> None:
    assert set(config(overlay)) - HELPERS <= known_variables()
    assert set(SECRET) <= known_variables()
    for template in ours(overlay).values():
        names = {variable["name"] for variable in container(template)["env"]}
        assert names - HELPERS == {"ALLOWED_HOSTS"}


def test_no_secret_stands_in_a_manifest(overlay: str) -> None:
    assert of_kind(overlay, "Secret") == []
    assert set(config(overlay)).isdisjoint(SECRET)
    for template in ours(overlay).values():
        sources = container(template)["envFrom"]
        assert sources[1] == {"secretRef": {"name": "shop"}}


def test_every_pod_reads_the_config_map_that_is_rendered(overlay: str) -> None:
    (rendered_map,) = of_kind(overlay, "ConfigMap")
    name = rendered_map["metadata"]["name"]
    assert name != "shop"  # its content is part of its name: a change rolls out
    for template in ours(overlay).values():
        inside = container(template)
        assert inside["envFrom"][0] == {"configMapRef": {"name": name}}
        (hosts,) = (v for v in inside["env"] if v["name"] == "SHOP_HOSTS")
        assert hosts["valueFrom"]["configMapKeyRef"] == {"name": name, "key": "SHOP_HOSTS"}


def variables(overlay: str, pod_ip: str) -> dict[str, str]:
    """What a process of the API finds in its environment."""
    given = {**config(overlay), **SECRET}
    listed = {v["name"]: v for v in container(api(overlay))["env"]}
    hosts = listed["ALLOWED_HOSTS"]["value"]
    assert list(listed) == ["POD_IP", "SHOP_HOSTS", "ALLOWED_HOSTS"]  # used only after it is set
    given["ALLOWED_HOSTS"] = hosts.replace("$(POD_IP)", pod_ip).replace(
        "$(SHOP_HOSTS)", given["SHOP_HOSTS"]
    )
    return given


def test_production_settings_accept_what_an_overlay_gives(overlay: str) -> None:
    given = variables(overlay, "10.1.2.3")
    code = (
        "import django; django.setup(); from django.conf import settings; "
        "print(settings.ALLOWED_HOSTS)"
    )
    environment = {"PATH": os.environ["PATH"], **given}
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert out.stdout == f"{[given['SHOP_HOSTS'], '10.1.2.3']}\n", out.stderr
    assert given["DJANGO_SETTINGS_MODULE"] == "ecommerce.settings.production"


# --- probes and ends -----------------------------------------------------------------------------


def test_probes_call_paths_that_answer_at_the_address_of_the_pod(
    overlay: str, settings: Any, anyone: ApiClient
) -> None:
    settings.ALLOWED_HOSTS = variables(overlay, "10.1.2.3")["ALLOWED_HOSTS"].split(",")
    inside = container(api(overlay))
    ports = {port["name"]: port["containerPort"] for port in inside["ports"]}
    assert ports == {"http": int(config(overlay)["PORT"])}
    for probe, path in {"startup": "livez", "liveness": "livez", "readiness": "readyz"}.items():
        call = inside[f"{probe}Probe"]["httpGet"]
        assert call == {"path": f"/{path}", "port": "http"}
        host = f"10.1.2.3:{ports['http']}"
        assert anyone.send("GET", call["path"], headers={"Host": host}).status == 200
    assert anyone.send("GET", "/livez", headers={"Host": "10.1.2.4:8000"}).status == 400


def test_a_pod_has_time_to_finish_what_it_answers(overlay: str) -> None:
    gunicorn = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    pod = api(overlay)["spec"]
    (sleep, seconds) = container(api(overlay))["lifecycle"]["preStop"]["exec"]["command"]
    assert sleep == "sleep"
    needed = int(seconds) + gunicorn["graceful_timeout"]
    assert needed < pod["terminationGracePeriodSeconds"] <= needed + 30
    # A readiness probe fails, and the balancer hears of it, before preStop ends.
    assert int(seconds) >= container(api(overlay))["readinessProbe"]["periodSeconds"]
    worker = ours(overlay)["Deployment/worker"]["spec"]
    assert worker["terminationGracePeriodSeconds"] > 20  # catalog/importing/worker.py


def test_a_rollout_takes_no_pod_away_before_a_new_one_is_ready(overlay: str) -> None:
    strategy = the(overlay, "Deployment", "api")["spec"]["strategy"]["rollingUpdate"]
    assert strategy["maxUnavailable"] == 0


def test_pods_spread_over_zones_and_nodes(overlay: str) -> None:
    spread = api(overlay)["spec"]["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in spread] == [
        "topology.kubernetes.io/zone", "kubernetes.io/hostname",
    ]  # fmt: skip
    labels = api(overlay)["metadata"]["labels"].items()
    assert all(one["labelSelector"]["matchLabels"].items() <= labels for one in spread)


# --- numbers -------------------------------------------------------------------------------------


def test_only_the_autoscaler_says_how_many_pods_the_api_has(overlay: str) -> None:
    (hpa,) = of_kind(overlay, "HorizontalPodAutoscaler")
    target = hpa["spec"]["scaleTargetRef"]
    assert target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    assert "replicas" not in the(overlay, "Deployment", "api")["spec"]
    assert 2 <= hpa["spec"]["minReplicas"] < hpa["spec"]["maxReplicas"]


def test_it_grows_at_once_and_shrinks_slowly(overlay: str) -> None:
    behavior = of_kind(overlay, "HorizontalPodAutoscaler")[0]["spec"]["behavior"]
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] >= 300


def test_a_drain_leaves_pods_and_goes_on(overlay: str) -> None:
    fewest = of_kind(overlay, "HorizontalPodAutoscaler")[0]["spec"]["minReplicas"]
    share = the(overlay, "PodDisruptionBudget", "api")["spec"]["maxUnavailable"]
    away = math.ceil(int(share.removesuffix("%")) / 100 * fewest)
    assert 1 <= away < fewest


def test_requests_a_second_and_size_are_those_of_the_capacity_sheet(overlay: str) -> None:
    sheet = Sizing.of_files()
    metrics = of_kind(overlay, "HorizontalPodAutoscaler")[0]["spec"]["metrics"]
    cpu = metrics[0]["resource"]["target"]["averageUtilization"]
    assert cpu == sheet.parameters["headroom"]["utilisation"] * 100
    if overlay == "dev":
        assert len(metrics) == 1
        return
    rate = metrics[1]["pods"]
    assert rate["metric"] == {"name": "http_requests_per_second"}
    assert int(rate["target"]["averageValue"]) == sheet.rate_of_pod
    resources, pod = container(api(overlay))["resources"], sheet.parameters["pod"]
    assert int(resources["requests"]["cpu"]) == pod["cores"]
    assert int(config(overlay)["WEB_CONCURRENCY"]) == pod["workers"]
    assert int(config(overlay)["WEB_THREADS"]) == pod["threads"]
    used = pod["workers"] * sheet.most("resident_mib")
    assert used < int(resources["requests"]["memory"].removesuffix("Mi"))


def test_production_may_grow_to_what_the_sheet_reckons(overlay: str) -> None:
    most = of_kind(overlay, "HorizontalPodAutoscaler")[0]["spec"]["maxReplicas"]
    assert (most >= Sizing.of_files().pods(max(RATES))) is (overlay == "production")


def test_the_adapter_offers_the_figure_that_the_autoscaler_asks_for(overlay: str) -> None:
    values = FOLDER / "components" / "prometheus" / "adapter-values.yaml"
    (rule,) = yaml.safe_load(values.read_text("utf-8"))["rules"]["custom"]
    assert rule["name"] == {"as": "http_requests_per_second"}
    recorded = [
        one["record"]
        for group in yaml.safe_load((RULES / "recording.yml").read_text("utf-8"))["groups"]
        for one in group["rules"]
    ]
    assert rule["seriesQuery"].partition("{")[0] in recorded


def test_the_operator_gets_the_rules_that_are_tested(overlay: str) -> None:
    given = [one["spec"] for one in of_kind(overlay, "PrometheusRule")]
    namespace = of_kind(overlay, "Namespace")[0]["metadata"]["name"]
    assert NAMESPACES.get(overlay, namespace) == namespace
    assert given == ([] if overlay == "dev" else [manifest(namespace)["spec"]]), (
        "python -m deploy.prometheus_rules writes them anew"
    )


def test_every_rule_asks_for_its_own_namespace_alone(overlay: str) -> None:
    """A cluster's Prometheus knows the HAProxy and the Redis of others too."""
    groups = [
        group for one in of_kind(overlay, "PrometheusRule") for group in one["spec"]["groups"]
    ]
    assert len(groups) == (0 if overlay == "dev" else 8)
    namespace = of_kind(overlay, "Namespace")[0]["metadata"]["name"]
    for rule in (rule for group in groups for rule in group["rules"]):
        bare = re.sub(r" (?:by|on) \([^)]*\) ?", "", rule["expr"])
        asked = re.findall(r"(?<![\w:])([a-z_][\w:]*)(?![\w:(])(\{[^}]*\})?", bare)
        series = [(name, labels) for name, labels in asked if name not in {"and", "or"}]
        assert series, rule
        for name, labels in series:
            assert f'namespace="{namespace}"' in labels, f"{name} of everybody: {rule}"
        assert rule["labels"]["namespace"] == namespace


def test_pages_of_the_front_end_may_ask_the_api(overlay: str) -> None:
    """It has another host, and a browser asks the API before it lets a page of there do it."""
    found = config(overlay)
    assert found["PUBLIC_URL"] in found["CORS_ALLOWED_ORIGINS"].split(",")


# --- the network ---------------------------------------------------------------------------------


def test_the_ingress_leads_to_every_public_path_and_to_no_other(overlay: str) -> None:
    paths = the(overlay, "Ingress", "api")["spec"]["rules"][0]["http"]["paths"]
    assert paths[0]["path"] == "/"
    assert paths[0]["pathType"] == "Exact"  # as a prefix it would be everything
    assert {path["pathType"] for path in paths[1:]} == {"Prefix"}
    public = {path["path"].removeprefix("/") for path in paths}
    assert public == public_parts()
    assert resolve("/metrics").url_name == "metrics"


def test_the_ingress_and_the_settings_name_one_host_over_tls(overlay: str) -> None:
    spec = the(overlay, "Ingress", "api")["spec"]
    assert [rule["host"] for rule in spec["rules"]] == spec["tls"][0]["hosts"]
    assert config(overlay)["SHOP_HOSTS"] == spec["rules"][0]["host"]
    assert config(overlay)["TRUSTED_PROXIES"] == "1"


def test_nothing_is_reached_but_what_a_policy_lets_in_and_out(overlay: str) -> None:
    assert the(overlay, "NetworkPolicy", "default-deny")["spec"] == {
        "podSelector": {}, "policyTypes": ["Ingress", "Egress"],
    }  # fmt: skip
    for policy in of_kind(overlay, "NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            assert rule["from"], policy["metadata"]["name"]
        for rule in policy["spec"].get("egress", []):
            assert rule.get("ports") or rule.get("to"), policy["metadata"]["name"]


def test_every_pod_of_ours_reaches_its_databases(overlay: str) -> None:
    policies = [p["spec"] for p in of_kind(overlay, "NetworkPolicy") if "egress" in p["spec"]]
    for template in ours(overlay).values():
        labels = template["metadata"]["labels"].items()
        ports = {
            port["port"] for spec in policies
            if spec["podSelector"].get("matchLabels", {}).items() <= labels
            for rule in spec["egress"] for port in rule.get("ports", [])
        }  # fmt: skip
        assert {53, 27017, 6379} <= ports


@pytest.mark.parametrize("scheme", ["smtp", "smtp+tls", "smtp+ssl"])
def test_mail_leaves_by_the_usual_port_of_its_address(
    overlay: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_URL", f"{scheme}://mail.shop.example")
    (rule,) = the(overlay, "NetworkPolicy", "mail")["spec"]["egress"]
    assert env.mail()["EMAIL_PORT"] in {port["port"] for port in rule["ports"]}


def test_the_cluster_has_two_shards_and_its_mongos_as_the_sheet_reckons(overlay: str) -> None:
    clusters = [one for one in rendered(overlay) if one["kind"] == "PerconaServerMongoDB"]
    if overlay == "dev":
        assert clusters == []
        return
    (spec,) = (one["spec"] for one in clusters)
    assert spec["sharding"]["enabled"] is True
    assert [replset["name"] for replset in spec["replsets"]] == ["rs0", "rs1"]
    assert {r["size"] for r in (*spec["replsets"], spec["sharding"]["configsvrReplSet"])} == {3}
    mongos = Sizing.of_files().parameters["mongodb"]["mongos"]
    assert spec["sharding"]["mongos"]["size"] == mongos
