"""An overlay that takes the component gateway instead of the ingress."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.live.conftest import missing
from tests.ops.kubernetes import FOLDER, OVERLAYS, Manifest, config, public_parts, render, rendered

pytestmark = pytest.mark.ops

MODULE: Final = "sigs.k8s.io/gateway-api@v1.4.1"
VERSIONS: Final = ("1.32", "1.34", "1.36")
KINDS: Final = {"Gateway": "gateways", "HTTPRoute": "httproutes"}
Objects = tuple[Manifest, ...]


@pytest.fixture(scope="module", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def objects(overlay: str, tmp_path_factory: pytest.TempPathFactory) -> Objects:
    """What the overlay makes after the change that docs/deploy.md and the component describe."""
    copy = tmp_path_factory.mktemp("gateway") / "kubernetes"
    shutil.copytree(FOLDER, copy)
    file = copy / "overlays" / overlay / "kustomization.yaml"
    given = yaml.safe_load(file.read_text("utf-8"))
    given["components"].remove("../../components/ingress")
    given["components"].append("../../components/gateway")
    given["patches"] = [p for p in given["patches"] if p["target"]["kind"] != "Ingress"]
    given["patches"] += host_patches(config(overlay)["SHOP_HOSTS"])
    file.write_text(yaml.safe_dump(given), "utf-8")
    return render(file.parent)


def host_patches(host: str) -> list[dict[str, Any]]:
    """The patches that the component's own comment shows, for this host."""
    text = (FOLDER / "components" / "gateway" / "kustomization.yaml").read_text("utf-8")
    shown = [line[1:] for line in text.splitlines() if line.startswith("#   ")]
    patches: list[dict[str, Any]] = yaml.safe_load("\n".join(shown))
    assert len(patches) == 2
    return [{**one, "patch": one["patch"].replace("api.shop.example", host)} for one in patches]


def the(objects: Objects, kind: str, name: str = "api") -> Manifest:
    """The one object of a kind and name."""
    (found,) = (o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name))
    return found


def rule_for(route: Manifest, path: str) -> Manifest | None:
    """The rule that a gateway takes for a path: the exact one, or that of the longest prefix."""
    fitting: list[tuple[bool, int, int]] = []
    for number, rule in enumerate(route["spec"]["rules"]):
        for match in rule["matches"]:
            kind, value = match["path"]["type"], match["path"]["value"]
            if kind == "Exact" and path == value:
                fitting.append((True, len(value), number))
            elif kind == "PathPrefix" and f"{path}/".startswith(value.rstrip("/") + "/"):
                fitting.append((False, len(value), number))
    return route["spec"]["rules"][max(fitting)[2]] if fitting else None


# --- the schema ----------------------------------------------------------------------------------


@cache
def schema(kind: str) -> Manifest:
    """The schema of a kind as the Gateway API's standard channel has it; Go fetches it once."""
    if shutil.which("go") is None:
        missing("go is needed to fetch the schemas: apt-get install golang-go")
    done = subprocess.run(
        ["go", "mod", "download", "-json", MODULE], cwd="/", capture_output=True, text=True,
        check=False, timeout=100,
    )  # fmt: skip
    if done.returncode:
        missing(f"{MODULE} could not be fetched: {done.stdout}{done.stderr}")
    folder = Path(json.loads(done.stdout)["Dir"]) / "config" / "crd" / "standard"
    file = folder / f"gateway.networking.k8s.io_{KINDS[kind]}.yaml"
    definition = yaml.safe_load(file.read_text("utf-8"))
    (v1,) = (v for v in definition["spec"]["versions"] if v["name"] == "v1")
    return dict(closed(v1["schema"]["openAPIV3Schema"]))


def closed(node: Any) -> Any:
    """A schema that refuses a field that it does not name, as `kubectl apply` does."""
    if isinstance(node, list):
        return [closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    inner = {key: closed(value) for key, value in node.items()}
    if node.get("type") == "object" and "properties" in node:
        inner.setdefault("additionalProperties", False)
    return inner


@pytest.mark.parametrize("kind", KINDS)
def test_the_objects_are_right_by_the_schema_of_the_gateway_api(
    objects: Objects, kind: str
) -> None:
    assert the(objects, kind)["apiVersion"] == "gateway.networking.k8s.io/v1"
    jsonschema.validate(the(objects, kind), schema(kind))


def test_the_schema_refuses_a_field_that_is_not_there(objects: Objects) -> None:
    route = the(objects, "HTTPRoute")
    rule = {**route["spec"]["rules"][0], "timeout": "60s"}
    wrong = {**route, "spec": {**route["spec"], "rules": [rule]}}
    with pytest.raises(jsonschema.ValidationError, match="'timeout' was unexpected"):
        jsonschema.validate(wrong, schema("HTTPRoute"))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_other_object_is_right_by_the_schema_of_kubernetes(
    objects: Objects, overlay: str, version: str
) -> None:
    before = list(rendered(overlay))
    for one in objects:
        if one["kind"] not in KINDS and one not in before:
            kubernetes_validate.validate(one, version, strict=True)


# --- what it says --------------------------------------------------------------------------------


def test_it_takes_the_place_of_the_ingress_and_changes_nothing_else(
    objects: Objects, overlay: str
) -> None:
    def names(of: Objects) -> set[tuple[str, str]]:
        return {(one["kind"], one["metadata"]["name"]) for one in of}

    before, after = names(rendered(overlay)), names(objects)
    assert before - after == {("Ingress", "api"), ("NetworkPolicy", "from-ingress")}
    assert after - before == {
        ("Gateway", "api"), ("HTTPRoute", "api"), ("NetworkPolicy", "from-gateway"),
    }  # fmt: skip


def test_its_objects_come_in_the_steps_of_a_rollout(objects: Objects) -> None:
    steps = {
        kind: the(objects, kind, name)["metadata"]["labels"]["rollout-step"]
        for kind, name in (
            ("Gateway", "api"), ("HTTPRoute", "api"), ("NetworkPolicy", "from-gateway"),
        )
    }  # fmt: skip
    assert steps == {"Gateway": "after", "HTTPRoute": "after", "NetworkPolicy": "prepare"}


def test_the_host_of_the_settings_is_served_over_https_alone(
    objects: Objects, overlay: str
) -> None:
    host = config(overlay)["SHOP_HOSTS"]
    (listener,) = the(objects, "Gateway")["spec"]["listeners"]
    assert (listener["protocol"], listener["port"], listener["hostname"]) == ("HTTPS", 443, host)
    assert listener["tls"] == {"mode": "Terminate", "certificateRefs": [{"name": "shop-tls"}]}
    assert listener["allowedRoutes"] == {"namespaces": {"from": "Same"}}
    route = the(objects, "HTTPRoute")["spec"]
    assert route["hostnames"] == [host]
    assert route["parentRefs"] == [{"name": "api", "sectionName": listener["name"]}]


def test_every_public_path_and_no_other_leads_to_the_service(objects: Objects) -> None:
    route = the(objects, "HTTPRoute")
    values = {m["path"]["value"] for rule in route["spec"]["rules"] for m in rule["matches"]}
    assert {value.split("/")[1] for value in values} == public_parts()
    assert {part for part in public_parts() if rule_for(route, f"/{part}") is None} == set()
    (port,) = the(objects, "Service")["spec"]["ports"]
    for rule in route["spec"]["rules"]:
        assert rule["backendRefs"] == [{"name": "api", "port": port["port"]}]


@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics/", "/livez", "/readyz", "/auth/login", "/productsx", "/nothing"]
)
def test_metrics_and_probes_are_refused_at_the_gateway(objects: Objects, path: str) -> None:
    assert rule_for(the(objects, "HTTPRoute"), path) is None


@pytest.mark.parametrize(
    ("path", "request_timeout"),
    [
        ("/", "60s"),
        ("/products", "60s"),
        ("/products/imports", "60s"),
        ("/users/me", "60s"),
        ("/products/exports", "1h"),
        ("/users/me/export", "1h"),
    ],
)
def test_an_answer_has_a_minute_and_an_export_an_hour(
    objects: Objects, path: str, request_timeout: str
) -> None:
    rule = rule_for(the(objects, "HTTPRoute"), path)
    assert rule is not None
    assert rule["timeouts"] == {"request": request_timeout}


def test_only_the_namespace_of_the_gateways_proxies_is_let_in(objects: Objects) -> None:
    assert the(objects, "NetworkPolicy", "from-gateway")["spec"] == {
        "podSelector": {"matchLabels": {"app.kubernetes.io/component": "api"}},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [
                    {
                        "namespaceSelector": {
                            "matchLabels": {"kubernetes.io/metadata.name": "envoy-gateway-system"}
                        }
                    }
                ],
                "ports": [{"protocol": "TCP", "port": "http"}],
            }
        ],
    }
