"""A product through nginx with the configuration of production, docker/nginx, beside B."""

import os
import re
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template
from typing import Final

from benchmarks.dataset import Dataset
from benchmarks.goals import Finding, Verdict, with_range
from benchmarks.kinds import PEERS, PROCESS_WARM
from benchmarks.load import Call, measure, warm_up, write_calls
from benchmarks.rounds import Scene, environment_of
from benchmarks.servers import ROOT, SERVER_CORE, Kind, Server, running
from benchmarks.workloads import product_calls
from tests.live.server import free_port

_TEMPLATE: Final = ROOT / "docker" / "nginx" / "nginx.conf.template"
_WORKERS: Final = "worker_processes auto;"
_THROUGH: Final = Kind("E", "ours through nginx, warm", "")
_LIFE: Final = 30
"""Seconds that nginx keeps an answer: `s-maxage` of the catalog."""
_AT_LEAST: Final = 5.0
_COUNTER: Final = "django_http_responses_total_by_status_view_method_total"


@contextmanager
def nginx_before(origin: Server, folder: Path) -> Iterator[Server]:
    """nginx as production configures it, on the servers' core, its cache empty."""
    port, state = free_port(), folder / "nginx"
    state.mkdir()
    variables = {
        "API_HOST": "127.0.0.1", "API_PORT": origin.base.rpartition(":")[2],
        "DNS_SERVER": "127.0.0.1", "HTTP_LISTEN": f"127.0.0.1:{port}",
        "STATUS_LISTEN": f"127.0.0.1:{free_port()}", "STATE_FOLDER": str(state),
        "CACHE_SIZE": "200m",
    }  # fmt: skip
    config = state / "nginx.conf"
    config.write_text(configuration(variables))
    command = ["taskset", "-c", SERVER_CORE, "nginx", "-c", str(config), "-g"]
    command.append("daemon off; user root;" if os.getuid() == 0 else "daemon off;")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            time.sleep(1)
            yield Server(_THROUGH, f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()


def configuration(variables: Mapping[str, str]) -> str:
    """That of production, with one worker as every server here has.

    Raises:
        ValueError: the template does not say what is replaced.
    """
    text = Template(_TEMPLATE.read_text("utf-8")).safe_substitute(variables)
    before, workers, after = text.partition(_WORKERS)
    if not workers:
        raise ValueError(f"{_TEMPLATE} has no {_WORKERS}")
    return f"{before}worker_processes 1;{after}"


def finding(scene: Scene, data: Dataset) -> Finding:
    """CPU of nginx and of the server behind it for a request, and how often that one was asked."""
    with ExitStack() as stack:
        bare = stack.enter_context(running(PEERS["B"], environment_of(PEERS["B"], scene)))
        origin = stack.enter_context(running(PROCESS_WARM, environment_of(PROCESS_WARM, scene)))
        edge = stack.enter_context(nginx_before(origin, scene.folder))
        calls = write_calls(product_calls(data, PROCESS_WARM), scene.folder / "edge")
        warm_up(edge, calls)
        rounds = [_round(bare, origin, edge, calls, scene.seconds) for _ in range(scene.rounds)]
        reads, lasted = _origin_reads(origin, edge, data, scene)
    return _said(rounds, reads, lasted)


def _round(
    bare: Server, origin: Server, edge: Server, calls: Path, seconds: int
) -> tuple[float, float, float]:
    """Microseconds for a request: bare, nginx, and the server behind nginx."""
    plain = measure(bare, calls, seconds=seconds).cpu_per_request
    before = origin.cpu_seconds()
    sample = measure(edge, calls, seconds=seconds)
    behind = (origin.cpu_seconds() - before) / sample.requests * 1e6
    return plain, sample.cpu_per_request, behind


def _origin_reads(origin: Server, edge: Server, data: Dataset, scene: Scene) -> tuple[int, float]:
    """Requests that reached the server while one product was asked for without a pause."""
    path = f"/products/{data.product_ids[-1]}?fields=id,name,description,price"
    calls = write_calls([Call("GET", path)], scene.folder / "one")
    time.sleep(1)  # what is still under way for others
    begun, before = time.monotonic(), _answered(origin)
    measure(edge, calls, seconds=_LIFE + 5)
    lasted = time.monotonic() - begun
    time.sleep(0.5)
    return _answered(origin) - before, lasted


def _answered(origin: Server) -> int:
    """Reads of a product that the server has answered, by its own metrics."""
    with urllib.request.urlopen(f"{origin.base}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    counts = re.findall(rf'(?m)^{_COUNTER}\{{[^}}]*view="product-detail"[^}}]*\}} (\S+)$', text)
    return int(sum(map(float, counts)))


def _said(rounds: list[tuple[float, float, float]], reads: int, lasted: float) -> Finding:
    plain, front, behind = (statistics.median(figures) for figures in zip(*rounds, strict=True))
    ratios = [b / (n + o) for b, n, o in rounds]
    expiries = int(lasted // _LIFE)
    lines = [
        "| | CPU µs |", "| --- | ---: |", f"| gunicorn alone | {plain:.1f} |",
        f"| nginx | {front:.1f} |", f"| the server behind it | {behind:.1f} |", "",
        (f"One product, asked for without a pause for {lasted:.0f} s: {reads} requests reached the "
        f"server; it expired {expiries} times."), "",
        ("nginx has one worker, as gunicorn alone has. It writes a line of its log for each "
        "request, which gunicorn alone does not."),
    ]  # fmt: skip
    verdicts = [
        Verdict(
            "GET product through nginx, warm", f"at least {_AT_LEAST:g} x gunicorn alone",
            with_range(ratios), statistics.median(ratios) >= _AT_LEAST,
        ),
        Verdict(
            "GET product through nginx, warm", "one origin read for each expiry",
            f"{reads} reads, {expiries} expired", reads == 1 + expiries,
        ),
    ]  # fmt: skip
    return Finding("Through nginx", lines, verdicts)
