"""The manifests as a cluster would get them: rendered by kustomize, read as plain data."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from django.urls import URLResolver, get_resolver

from tests.live.conftest import missing
from tests.queries import ROOT

FOLDER: Final = ROOT / "deploy" / "kubernetes"
OVERLAYS: Final = ("dev", "staging", "production")
_KUSTOMIZE: Final = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1"
_READS: Final = re.compile(
    r"""(?:env\.\w+|environ\.get|text|integer|example =)\(?\W?["']([A-Z_]+)"""
)
_NOT_PUBLIC: Final = {"livez", "readyz", "metrics", "auth"}
"""First parts of paths that no client reaches; /auth is there only in development."""
Manifest = dict[str, Any]


@cache
def rendered(overlay: str) -> tuple[Manifest, ...]:
    """Every object of an overlay."""
    return render(FOLDER / "overlays" / overlay)


def render(folder: Path) -> tuple[Manifest, ...]:
    """Every object that a kustomization makes."""
    out = subprocess.run(
        [*kustomize(), str(folder)], capture_output=True, text=True, check=False, timeout=100
    )
    assert out.returncode == 0, out.stderr
    return tuple(yaml.safe_load_all(out.stdout))


@cache
def kustomize() -> tuple[str, ...]:
    """kubectl's, one that is installed, or one that Go makes once."""
    if kubectl := shutil.which("kubectl"):
        return (kubectl, "kustomize")
    if found := shutil.which("kustomize"):
        return (found, "build")
    folder = ROOT / ".cache" / "kustomize"
    if not (folder / "kustomize").exists():
        if shutil.which("go") is None:
            missing("kubectl, kustomize or go is needed: apt-get install golang-go")
        environment = {**os.environ, "GOBIN": str(folder)}
        subprocess.run(["go", "install", _KUSTOMIZE], env=environment, check=True)
    return (str(folder / "kustomize"), "build")


def of_kind(overlay: str, *kinds: str) -> list[Manifest]:
    """The objects of an overlay that are of these kinds."""
    return [one for one in rendered(overlay) if one["kind"] in kinds]


def the(overlay: str, kind: str, name: str) -> Manifest:
    """The one object of a kind and name."""
    (found,) = (one for one in of_kind(overlay, kind) if one["metadata"]["name"] == name)
    return found


def templates(overlay: str) -> dict[str, Manifest]:
    """The pod templates of an overlay, by kind and name of what makes the pods."""
    found = {}
    for one in of_kind(overlay, "Deployment", "Job", "CronJob"):
        spec = one["spec"]["jobTemplate"]["spec"] if one["kind"] == "CronJob" else one["spec"]
        found[f"{one['kind']}/{one['metadata']['name']}"] = spec["template"]
    return found


def ours(overlay: str) -> dict[str, Manifest]:
    """Those pod templates that run the product."""
    return {
        name: template
        for name, template in templates(overlay).items()
        if template["spec"]["containers"][0]["name"] == "shop"
    }


def config(overlay: str) -> dict[str, str]:
    """What the ConfigMap of an overlay holds."""
    (found,) = of_kind(overlay, "ConfigMap")
    data: dict[str, str] = found["data"]
    return data


def known_variables() -> set[str]:
    """Every environment variable that the product reads."""
    files = (*(ROOT / "ecommerce" / "settings").glob("*.py"), ROOT / "gunicorn.conf.py")
    found = {name for file in files for name in _READS.findall(file.read_text("utf-8"))}
    return found | {"DJANGO_SETTINGS_MODULE"}


def commands() -> set[str]:
    """The names of the product's own commands."""
    return {path.stem for path in ROOT.rglob("*/management/commands/*.py")}


def public_parts() -> set[str]:
    """The first part of every path of the product that clients may reach."""
    found, waiting = {"static"}, [("", get_resolver())]
    while waiting:
        before, resolver = waiting.pop()
        for pattern in resolver.url_patterns:
            path = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                waiting.append((path, pattern))
            else:
                found.add(path.removeprefix("^").replace("\\", "").partition("/")[0].strip("?$"))
    return found - _NOT_PUBLIC
