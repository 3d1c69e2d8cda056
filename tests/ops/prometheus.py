"""A real Prometheus with our configuration and rules, whose targets are on this machine."""

import json
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.live.server import ROOT, free_port
from tests.ops.fleet import eventually

FOLDER: Final = ROOT / "docker" / "prometheus"
RULES: Final = FOLDER / "rules"
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WINDOW: Final = re.compile(r"(?<=\[)(\d+)([smhd])(?=\])|(?<=for: )(\d+)([smhd])$", re.MULTILINE)


@dataclass(frozen=True)
class Target:
    """An address that is scraped, with labels of its own."""

    address: str
    labels: Mapping[str, str]


class Prometheus:
    """Answers queries; `scrape` says what it looks at from now on."""

    def __init__(self, folder: Path, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self._targets = folder / "targets.json"

    def scrape(self, targets: Sequence[Target]) -> None:
        """The API servers that there are."""
        found = [{"targets": [one.address], "labels": dict(one.labels)} for one in targets]
        draft = self._targets.with_suffix(".draft")
        draft.write_text(json.dumps(found), "utf-8")
        draft.rename(self._targets)  # in one step: it is read whenever it changes

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Each series that it gives now, by its labels."""
        result = self.get("query", query=expression)["result"]
        return [(one["metric"], float(one["value"][1])) for one in result]

    def get(self, what: str, **parameters: str) -> Any:
        """The data of one answer of its API."""
        address = f"{self.base}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.load(answer)["data"]

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(f"{self.base}/-/ready", timeout=5):
                return True
        except OSError:
            return False


@contextmanager
def prometheus(
    folder: Path, *, interval: float, scale: float = 1, **further: Sequence[str]
) -> Iterator[Prometheus]:
    """One that scrapes so often, until the context ends.

    Args:
        folder: for its data and its configuration, which is ours but for the addresses.
        interval: seconds between two scrapes, and between two evaluations of the rules.
        scale: windows of the rules are so many times shorter, and alerts wait less long.
        further: addresses by the names of jobs other than `api`, of `alertmanager` and of
            `blackbox`, who probes for the job `site`.
    """
    port = free_port()
    found = Prometheus(folder, port)
    found.scrape([])
    config = _write_configuration(
        folder, interval, scale, {**further, "prometheus": [f"127.0.0.1:{port}"]}
    )
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    # What fires before Alertmanager is known is sent again after this.
    command += [f"--rules.alert.resend-delay={round(60_000 / scale)}ms"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            eventually(found.is_ready, "Prometheus answers")
            yield found
        finally:
            process.terminate()
            process.wait(timeout=30)


def _write_configuration(
    folder: Path, interval: float, scale: float, addresses: dict[str, Sequence[str]]
) -> Path:
    text = (FOLDER / "prometheus.yml").read_text("utf-8")
    prober = "".join(addresses.pop("blackbox", ()))
    config = yaml.safe_load(text.replace("blackbox-exporter:9115", prober))
    every = f"{round(interval * 1000)}ms"
    config["global"] = {
        "scrape_interval": every, "evaluation_interval": every, "scrape_timeout": every,
    }  # fmt: skip
    config["rule_files"] = [str(_scaled(rules, folder, scale)) for rules in RULES.glob("*.yml")]
    (manager,) = config["alerting"]["alertmanagers"]
    manager["static_configs"] = _static(addresses.pop("alertmanager", ()))
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    config["scrape_configs"] = [_api_of_files(jobs["api"], folder)] + [
        {**_without_targets(jobs[name]), "static_configs": _static(found)}
        for name, found in addresses.items()
    ]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config), "utf-8")
    return path


def _static(addresses: Sequence[str]) -> list[dict[str, list[str]]]:
    return [{"targets": list(addresses)}]


def _api_of_files(job: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The job of the API servers, named by a file instead of by DNS."""
    return {**_without_targets(job), "file_sd_configs": [{"files": [str(folder / "targets.json")]}]}


def _without_targets(job: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in job.items() if not name.endswith("_sd_configs")}


def _scaled(rules: Path, folder: Path, scale: float) -> Path:
    def shorter(time: re.Match[str]) -> str:
        seconds = int(time[1] or time[3]) * _SECONDS[time[2] or time[4]] / scale
        return f"{max(round(seconds * 1000), 1)}ms"

    path = folder / rules.name
    path.write_text(_WINDOW.sub(shorter, rules.read_text("utf-8")), "utf-8")
    return path
