"""The rules of docker/prometheus as the objects that the Prometheus operator takes.

One Prometheus may watch several overlays, so each object asks for its own namespace alone: one that
is up must not hide that another is down. Rules about what is no pod of a namespace (HAProxy, the
exporters of Redis and of the site, Prometheus itself) are for Compose and left out: in a cluster
they would fire about what belongs to others. `python -m deploy.prometheus_rules` writes them anew;
tests/ops/test_kubernetes_policies.py compares.
"""

import re
from pathlib import Path
from typing import Any, Final

import yaml

_ROOT: Final = Path(__file__).resolve().parents[1]
RULES: Final = _ROOT / "docker" / "prometheus" / "rules"
_OVERLAYS: Final = _ROOT / "deploy" / "kubernetes" / "overlays"
NAMESPACES: Final = {"production": "shop", "staging": "shop-staging"}
"""The namespaces of the overlays that a Prometheus watches."""
_HEAD: Final = "# Made of docker/prometheus/rules: python -m deploy.prometheus_rules\n"
_SERIES: Final = re.compile(
    r"\b((?:django_|shop_|kube_job_|job:|job_view:|namespace_pod:)[\w:]+|up(?=\{))(\{)?"
)
"""What the pods of a namespace, or rules about them, give; with the brace of its labels, if any."""


def _of_namespace(rule: dict[str, Any], namespace: str) -> dict[str, Any] | None:
    """The rule about one namespace, and with its name; None for one about nothing in it."""
    label = f'namespace="{namespace}"'

    def scoped(series: re.Match[str]) -> str:
        return f"{series[1]}{{{label}," if series[2] else f"{series[1]}{{{label}}}"

    expression, found = _SERIES.subn(scoped, rule["expr"])
    if not found:
        return None
    return {
        **rule,
        "expr": expression,
        "labels": {**rule.get("labels", {}), "namespace": namespace},
    }


def manifest(namespace: str) -> dict[str, Any]:
    """The object of a namespace, made of the rules as they are now."""
    files = sorted(RULES.glob("*.yml"), reverse=True)  # what is recorded, then the alerts on it
    groups = [
        group for file in files for group in yaml.safe_load(file.read_text("utf-8"))["groups"]
    ]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "api", "labels": {"rollout-step": "after"}},
        "spec": {
            "groups": [
                {
                    **group,
                    "rules": [
                        scoped
                        for rule in group["rules"]
                        if (scoped := _of_namespace(rule, namespace)) is not None
                    ],
                }
                for group in groups
            ]
        },
    }


if __name__ == "__main__":
    for overlay, namespace in NAMESPACES.items():
        text = yaml.safe_dump(manifest(namespace), sort_keys=False, width=1000, allow_unicode=True)
        (_OVERLAYS / overlay / "rules.yaml").write_text(_HEAD + text, "utf-8")
