"""The rules of docker/prometheus as the object that the Prometheus operator takes.

`python -m deploy.prometheus_rules` writes it anew; tests/ops/test_kubernetes_policies.py compares.
"""

from pathlib import Path
from typing import Any, Final

import yaml

_ROOT: Final = Path(__file__).resolve().parents[1]
RULES: Final = _ROOT / "docker" / "prometheus" / "rules"
MANIFEST: Final = _ROOT / "deploy" / "kubernetes" / "components" / "prometheus" / "rules.yaml"
_HEAD: Final = "# Made of docker/prometheus/rules: python -m deploy.prometheus_rules\n"


def manifest() -> dict[str, Any]:
    """The object, made of the rules as they are now."""
    files = sorted(RULES.glob("*.yml"), reverse=True)  # what is recorded, then the alerts on it
    groups = [
        group for file in files for group in yaml.safe_load(file.read_text("utf-8"))["groups"]
    ]
    # A group has one name in the whole object.
    names = [
        f"{group['name']}-{'alerts' if 'alert' in group['rules'][0] else 'records'}"
        for group in groups
    ]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "api", "labels": {"rollout-step": "after"}},
        "spec": {
            "groups": [{**group, "name": name} for group, name in zip(groups, names, strict=True)]
        },
    }


if __name__ == "__main__":
    text = yaml.safe_dump(manifest(), sort_keys=False, width=1000, allow_unicode=True)
    MANIFEST.write_text(_HEAD + text, "utf-8")
