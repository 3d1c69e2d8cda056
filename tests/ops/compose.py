"""docker/compose.yaml as Compose reads it: merged, with the variables put in, as plain data."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import yaml

from tests.live.conftest import missing
from tests.queries import ROOT

FILE: Final = ROOT / "docker" / "compose.yaml"
PROFILES: Final = ("", "sharded", "edge", "monitoring", "elk")
GIVEN: Final = {
    "SECRET_KEY": "a-key-of-tests-" + "0123456789abcdef" * 3,
    "MONGODB_PASSWORD": "of-the-shop-in-tests", "MONGODB_ADMIN_PASSWORD": "of-the-admin-in-tests",
    "EMAIL_URL": "smtp+tls://user:password@mail.shop.example:587",
    "PUBLIC_URL": "https://shop.example",
}  # fmt: skip
"""What docker/.env must hold, with values that exist nowhere."""
_SOURCE: Final = ROOT / "tests" / "ops" / "compose_config"
Service = dict[str, Any]


def read(profile: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What `docker compose config` answers."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        _command(profile), env={**environment, **variables}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


@cache
def services(profile: str) -> dict[str, Service]:
    """Every service of a profile."""
    out = read(profile, GIVEN)
    assert out.returncode == 0, out.stderr
    found: dict[str, Service] = json.loads(out.stdout)["services"]
    return found


def everything() -> dict[str, Service]:
    """Every service of all profiles."""
    return {name: service for profile in PROFILES for name, service in services(profile).items()}


def as_run(part: str) -> str:
    """A part of a command as its container gets it: Docker's own answer has each $ twice."""
    return part.replace("$$", "$")


def written() -> Any:
    """The file as it is, with its variables."""
    return yaml.safe_load(FILE.read_text("utf-8"))


def _command(profile: str) -> list[str]:
    """Docker's own, or the library that it reads the file with."""
    if not _has_plugin():
        return [_reader(), str(FILE), profile]
    chosen = ["--profile", profile] if profile else []
    config = ["config", "--format", "json"]
    files = ["--file", str(FILE), "--env-file", os.devnull]
    return ["docker", "compose", *files, *chosen, *config]


@cache
def _reader() -> str:
    reader = ROOT / ".cache" / "compose" / "compose_config"
    if not reader.exists():
        if shutil.which("go") is None:
            missing("docker compose or go is needed: apt-get install golang-go")
        build = ["go", "build", "-C", str(_SOURCE), "-o", str(reader), "."]
        subprocess.run(build, check=True, timeout=600)
    return str(reader)


@cache
def _has_plugin() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0
