"""Every overlay renders, is right by the schemas of three Kubernetes versions, and fits itself."""

from collections.abc import Iterator
from typing import Any, Final

import kubernetes_validate
import pytest

from tests.ops.kubernetes import OVERLAYS, Manifest, of_kind, rendered, templates, the

pytestmark = pytest.mark.ops

VERSIONS: Final = ("1.32", "1.34", "1.36")
MONITORING: Final = {"PrometheusRule", "ServiceMonitor"}
CUSTOM: Final = {"PerconaServerMongoDB", *MONITORING}
"""Kinds of operators: no schema of Kubernetes has them."""
COMMON: Final = {
    "ConfigMap", "CronJob", "Deployment", "HorizontalPodAutoscaler", "Ingress", "Job", "Namespace",
    "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount",
}  # fmt: skip
EXTRA: Final = {"dev": set[str](), "staging": CUSTOM, "production": CUSTOM}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_has_these_kinds(overlay: str) -> None:
    assert {one["kind"] for one in rendered(overlay)} == COMMON | EXTRA[overlay]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_is_right_by_the_schema(overlay: str, version: str) -> None:
    for one in rendered(overlay):
        if one["kind"] not in CUSTOM:
            kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schema_refuses_a_field_that_is_not_there(version: str) -> None:
    api = the("production", "Deployment", "api")
    wrong = {**api, "spec": {**api["spec"], "minReadySecond": 5}}
    with pytest.raises(kubernetes_validate.ValidationError, match="minReadySecond"):
        kubernetes_validate.validate(wrong, version, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_two_objects_have_one_name_and_all_stand_in_one_namespace(overlay: str) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in rendered(overlay)]
    assert len(names) == len(set(names))
    (namespace,) = of_kind(overlay, "Namespace")
    found = {one["metadata"].get("namespace") for one in rendered(overlay) if one != namespace}
    assert found == {namespace["metadata"]["name"]}


def test_the_overlays_have_namespaces_hosts_and_addresses_of_their_own() -> None:
    namespaces = {of_kind(overlay, "Namespace")[0]["metadata"]["name"] for overlay in OVERLAYS}
    hosts = {the(o, "Ingress", "api")["spec"]["rules"][0]["host"] for o in OVERLAYS}
    assert (len(namespaces), len(hosts)) == (3, 3)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_the_secrets_need_comes_first_then_what_the_indexes_need_then_the_rest(
    overlay: str,
) -> None:
    steps: dict[str, set[str]] = {}
    for one in rendered(overlay):
        steps.setdefault(one["metadata"]["labels"]["rollout-step"], set()).add(one["kind"])
    assert set(steps) == {"prepare", "before", "after"}
    assert steps["prepare"] == {"Namespace", "NetworkPolicy"} | (EXTRA[overlay] - MONITORING)
    assert {"ConfigMap", "ServiceAccount", "Job"} <= steps["before"]
    assert {"HorizontalPodAutoscaler", "CronJob", "PodDisruptionBudget"} <= steps["after"]
    assert "Ingress" in steps["after"]
    assert steps["prepare"].isdisjoint(steps["before"] | steps["after"])
    for name in ("api", "worker"):
        labels = the(overlay, "Deployment", name)["metadata"]["labels"]
        assert labels["rollout-step"] == "after"


def selectors(overlay: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every selector of pods that stands in a manifest."""
    for one in rendered(overlay):
        name = f"{one['kind']}/{one['metadata']['name']}"
        spec = one.get("spec", {})
        if one["kind"] == "Service":
            yield name, spec["selector"]
        elif one["kind"] == "NetworkPolicy":
            yield from ((name, labels) for labels in policy_selectors(spec))
        elif one["kind"] in {"Deployment", "PodDisruptionBudget"}:
            yield name, spec["selector"]["matchLabels"]


def policy_selectors(spec: Manifest) -> Iterator[dict[str, str]]:
    yield spec["podSelector"].get("matchLabels", {})
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(side, []):
            for peer in rule.get(peers, []):
                if "podSelector" in peer:
                    yield peer["podSelector"]["matchLabels"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_selector_finds_pods(overlay: str) -> None:
    known = [template["metadata"]["labels"] for template in templates(overlay).values()]
    for name, selector in selectors(overlay):
        if selector.get("app.kubernetes.io/name", "").startswith("percona-"):
            continue  # the operator makes those pods
        assert any(selector.items() <= labels.items() for labels in known), (name, selector)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_deployment_selects_its_own_pods_and_no_others(overlay: str) -> None:
    for one in of_kind(overlay, "Deployment"):
        selector = one["spec"]["selector"]["matchLabels"].items()
        selected = [
            name for name, template in templates(overlay).items()
            if selector <= template["metadata"]["labels"].items()
        ]  # fmt: skip
        assert selected == [f"Deployment/{one['metadata']['name']}"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_ports_and_services_are_called_by_names_that_exist(overlay: str) -> None:
    ports = {
        service["metadata"]["name"]: {port["name"] for port in service["spec"]["ports"]}
        for service in of_kind(overlay, "Service")
    }
    for service in of_kind(overlay, "Service"):
        (template,) = (
            template for template in templates(overlay).values()
            if service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
        )  # fmt: skip
        named = {port["name"] for port in template["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named
    for path in the(overlay, "Ingress", "api")["spec"]["rules"][0]["http"]["paths"]:
        backend: Any = path["backend"]["service"]
        assert backend["port"]["name"] in ports[backend["name"]]
    for monitor in of_kind(overlay, "ServiceMonitor"):
        labels = monitor["spec"]["selector"]["matchLabels"].items()
        found = [
            s for s in of_kind(overlay, "Service") if labels <= s["metadata"]["labels"].items()
        ]
        assert [s["metadata"]["name"] for s in found] == ["api"]
        assert {e["port"] for e in monitor["spec"]["endpoints"]} <= ports["api"]
