"""nginx in the benchmark: as in production, but with as many workers as what it is compared to."""

from string import Template

from benchmarks.edge import configuration
from benchmarks.servers import ROOT


def test_nginx_has_one_worker_and_else_the_configuration_of_production() -> None:
    template = (ROOT / "docker" / "nginx" / "nginx.conf.template").read_text("utf-8")
    produced = Template(template).safe_substitute(STATE_FOLDER="/tmp/nginx")
    found = configuration({"STATE_FOLDER": "/tmp/nginx"})
    changed = [
        pair
        for pair in zip(produced.splitlines(), found.splitlines(), strict=True)
        if pair[0] != pair[1]
    ]
    assert changed == [("worker_processes auto;", "worker_processes 1;")]
