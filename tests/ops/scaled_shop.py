"""API servers that an autoscaler's decisions start and end, with clients and a Prometheus.

The time of the manifest, of the rules and of the controller passes SCALE times faster here, and a
pod is aimed at LOAD times fewer requests: one machine has to serve them all. How long a server
takes to start is real. Everything else is read from the files that are deployed.
"""

import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import yaml

from tests.live.server import ROOT, free_port
from tests.ops.autoscaler import SYNC_SECONDS, Autoscaler, Reading
from tests.ops.fleet import ApiServer
from tests.ops.production import HOST
from tests.ops.prometheus import Prometheus, Target

SCALE: Final = 20.0
LOAD: Final = 100.0
INTERVAL: Final = SYNC_SECONDS / SCALE
"""Seconds between two looks of the controller, and between two scrapes."""
_KUBERNETES: Final = ROOT / "deploy" / "kubernetes"


def of_yaml(path: str) -> Any:
    """A manifest."""
    return yaml.safe_load((_KUBERNETES / path).read_text("utf-8"))


SPEC: Final = of_yaml("base/api-hpa.yaml")["spec"]


def target_of(kind: str) -> float:
    """What the manifest aims a pod at: percent of its CPU, or requests a second."""
    (metric,) = (one for one in SPEC["metrics"] if one["type"] == kind)
    if kind == "Resource":
        return float(metric["resource"]["target"]["averageUtilization"])
    return float(metric["pods"]["target"]["averageValue"])


def _cores_of_a_pod() -> float:
    pod = of_yaml("base/api-deployment.yaml")["spec"]["template"]["spec"]
    return float(pod["containers"][0]["resources"]["requests"]["cpu"])


class Pods:
    """API servers that come and go, one an address, each under the name of a pod."""

    def __init__(self, found: Prometheus, environment: dict[str, str]) -> None:
        self.servers: list[ApiServer] = []
        self.in_use: list[ApiServer] = []
        self._prometheus, self._environment = found, environment
        self._port = free_port()
        self._cpu: dict[str, float] = {}

    def become(self, count: int) -> None:
        """Start or end servers; a new one is used once it is ready."""
        while len(self.servers) < count:
            address = f"127.0.1.{len(self.servers) + 1}"
            self.servers.append(ApiServer(address, self._port, self._environment))
        gone, self.servers = self.servers[count:], self.servers[:count]
        self.in_use = [server for server in self.in_use if server not in gone]
        self._announce()
        for server in gone:
            Thread(target=server.end).start()

    def notice_ready(self) -> None:
        """What a readiness probe would find."""
        for server in self.servers:
            if server not in self.in_use and server.ready():
                self.in_use = [*self.in_use, server]
        self._announce()

    def _announce(self) -> None:
        self._prometheus.scrape(
            [
                Target(
                    server.base.removeprefix("http://"),
                    {"namespace": "shop", "pod": name_of(server)},
                )
                for server in self.in_use
            ]
        )

    def rates(self) -> dict[str, float]:
        """Requests a second of each pod, as the adapter asks for them."""
        (rule,) = of_yaml("components/prometheus/adapter-values.yaml")["rules"]["custom"]
        names = "|".join(name_of(server) for server in self.servers)
        query = (
            rule["metricsQuery"]
            .replace("<<.Series>>", rule["seriesQuery"].partition("{")[0])
            .replace("<<.LabelMatchers>>", f'namespace="shop",pod=~"{names}"')
            .replace("<<.GroupBy>>", "pod")
        )
        return {labels["pod"]: value for labels, value in self._prometheus.query(query)}

    def cpu(self, seconds: float) -> dict[str, float]:
        """Percent of the CPU that a pod asks for, in the seconds since the last call."""
        asked = _cores_of_a_pod()
        used = {name_of(server): _cpu_seconds(server.process.pid) for server in self.in_use}
        shares = {
            name: 100 * (total - self._cpu[name]) / seconds / asked
            for name, total in used.items()
            if name in self._cpu
        }
        self._cpu = used
        return shares

    def end(self) -> None:
        """Kill what is left."""
        for server in self.servers:
            server.kill()


def name_of(server: ApiServer) -> str:
    return f"api-{server.address.rpartition('.')[2]}"


def _cpu_seconds(parent: int) -> float:
    """Of a server's processes."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()
    spent = 0
    for pid in (str(parent), *children):
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        spent += int(fields[11]) + int(fields[12])
    return spent / os.sysconf("SC_CLK_TCK")


class Clients:
    """So many reads a second, spread over the servers in use."""

    def __init__(self, pods: Pods) -> None:
        self.rate = 0.0
        self.statuses: list[int] = []
        self._pods, self._stopping = pods, Event()
        self._thread = Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            for number in itertools.count():
                if self._stopping.is_set():
                    return
                due = max(due + 1 / max(self.rate, 1), time.monotonic() - 0.5)
                time.sleep(max(due - time.monotonic(), 0))
                servers = self._pods.in_use
                pool.submit(self._ask, servers[number % len(servers)])

    def _ask(self, server: ApiServer) -> None:
        try:
            self.statuses.append(server.send("GET", "/products/?limit=1", Host=HOST).status)
        except OSError:
            self.statuses.append(0)

    def end(self) -> None:
        """No more."""
        self._stopping.set()
        self._thread.join()


class Shop:
    """Servers, clients, and the autoscaler between them."""

    def __init__(self, pods: Pods, clients: Clients) -> None:
        self.pods, self.clients = pods, clients
        self.sizes: list[int] = []
        self.looked_at: list[float] = []
        self._scaler = Autoscaler(SPEC, scale=SCALE)
        self._looked = time.monotonic()

    def goes_on(self, seconds: float, *, per_second: float) -> list[int]:
        """With this load for so long; the number of pods at each look."""
        self.clients.rate = per_second
        first, until = len(self.sizes), time.monotonic() + seconds
        while time.monotonic() < until:
            self._looks()
        return self.sizes[first:]

    def becomes(self, count: int, *, per_second: float) -> list[int]:
        """With this load until there are so many pods that serve, or a minute has passed."""
        self.clients.rate = per_second
        first, until = len(self.sizes), time.monotonic() + 60
        while time.monotonic() < until and len(self.pods.in_use) != count:
            self._looks()
        return self.sizes[first:]

    def _looks(self) -> None:
        time.sleep(max(self._looked + INTERVAL - time.monotonic(), 0))
        now = time.monotonic()
        took, self._looked = now - self._looked, now
        self.pods.notice_ready()
        count = len(self.pods.servers)
        rates, cpu = self.pods.rates(), self.pods.cpu(took)
        readings = [
            Reading(target_of("Pods") / LOAD, rates, count - len(rates)),
            Reading(target_of("Resource"), cpu, count - len(cpu)),
        ]
        decided = self._scaler.decide(now, count, readings)
        self.sizes.append(decided)
        self.looked_at.append(now)
        if decided != count:
            self.pods.become(decided)
