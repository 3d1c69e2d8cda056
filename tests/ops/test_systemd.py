"""deploy/systemd: units that systemd understands, and that agree with the product."""

import os
import re
import runpy
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.live.server import free_port
from tests.ops.conftest import needs
from tests.ops.fleet import eventually
from tests.ops.kubernetes import commands, known_variables
from tests.queries import ROOT

pytestmark = pytest.mark.ops
FOLDER: Final = ROOT / "deploy" / "systemd"
UNITS: Final = ("shop-api.service", "shop-worker.service", "shop-migrate.service")


def values(unit: str, name: str) -> list[str]:
    """What a unit says under a name."""
    text = (FOLDER / unit).read_text("utf-8")
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_a_unit(unit: str, tmp_path: Path) -> None:
    needs("systemd-analyze", package="systemd")
    program = tmp_path / "program"  # the one that the unit names is on no machine of the tests
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    text = re.sub(
        r"^(ExecStart=)\S+", rf"\1{program}", (FOLDER / unit).read_text("utf-8"), flags=re.MULTILINE
    )
    (tmp_path / unit).write_text(text)
    check = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)]
    out = subprocess.run(check, capture_output=True, text=True, check=False)
    said = [line for line in out.stderr.splitlines() if unit in line]
    assert (out.returncode, said) == (0, []), out.stderr


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_sets_what_the_product_reads_and_no_secret(unit: str) -> None:
    given = dict(
        part.split("=", 1) for line in values(unit, "Environment") for part in line.split()
    )
    assert given.keys() - {"PYTHONDONTWRITEBYTECODE"} <= known_variables()
    assert given["DJANGO_SETTINGS_MODULE"] == "ecommerce.settings.production"
    assert given.keys().isdisjoint({"SECRET_KEY", "MONGODB_URI", "REDIS_URL", "EMAIL_URL"})
    assert values(unit, "EnvironmentFile") == ["/etc/shop/shop.env"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_runs_without_rights(unit: str) -> None:
    for name, value in {
        "DynamicUser": "yes", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "",
        "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
    }.items():  # fmt: skip
        assert values(unit, name) == [value], name


def test_a_server_has_time_to_finish_what_it_answers() -> None:
    gunicorn = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    (drain,) = re.findall(
        r"DRAIN_SECONDS=(\d+)", "".join(values("shop-api.service", "Environment"))
    )
    (stop,) = values("shop-api.service", "TimeoutStopSec")
    assert int(drain) + gunicorn["graceful_timeout"] < int(stop)
    assert values("shop-api.service", "KillMode") == ["mixed"]  # to gunicorn, not to its workers


def test_what_is_started_is_what_the_image_starts() -> None:
    (api,) = values("shop-api.service", "ExecStart")
    assert api == "/opt/shop/.venv/bin/gunicorn -c gunicorn.conf.py"
    for unit in UNITS[1:]:
        (other,) = values(unit, "ExecStart")
        assert other.split()[:2] == ["/opt/shop/.venv/bin/python", "manage.py"]
        assert other.split()[2] in commands()


def test_haproxy_of_debian_serves_without_the_rights_of_root() -> None:
    """The file of the image has no user to change to: there it never was root."""
    needs("haproxy", package="haproxy")
    page = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    (first,) = re.findall(r"^CONFIG=/opt/shop/(\S+)$", page, re.MULTILINE)
    (second,) = re.findall(r"^EXTRAOPTS=.* -f /opt/shop/(\S+)\"$", page, re.MULTILINE)
    assert first == "docker/haproxy/haproxy.cfg"
    files = ["-f", str(ROOT / first), "-f", str(ROOT / second)]
    check = ["haproxy", "-c", *files]
    out = subprocess.run(check, capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stderr
    binds = {name: f"127.0.0.1:{free_port()}" for name in ("HTTP_BIND", "METRICS_BIND")}
    with subprocess.Popen(
        ["haproxy", "-db", *files],
        env={**os.environ, **binds},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as haproxy:
        status = Path(f"/proc/{haproxy.pid}/status")
        try:
            eventually(
                lambda: re.findall(r"^Uid:\s+(\d+)", status.read_text(), re.MULTILINE) != ["0"],
                "it is nobody's master",
            )
        finally:
            haproxy.terminate()
