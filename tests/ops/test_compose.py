"""docker/compose.yaml holds together, and with the product: what can be said without its images."""

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from string import Template
from typing import Any, Final

import pytest
import yaml
from django.conf import settings

from tests.ops.compose import (
    FILE,
    GIVEN,
    PROFILES,
    Service,
    as_run,
    everything,
    read,
    services,
    written,
)
from tests.ops.kubernetes import commands, known_variables
from tests.queries import ROOT

pytestmark = pytest.mark.ops
DOCKER: Final = ROOT / "docker"
JOBS: Final = {
    "keyfile", "replica-set", "migrate", "config-set", "shard2-set", "cluster", "shard-keys",
    "log-users", "log-template", "log-setup",
}  # fmt: skip
WRITES_BESIDE_ITS_PROGRAMS: Final = {"elasticsearch", "kibana", "logstash"}
SHOP: Final = {"api", "worker", "migrate", "shard-keys"}
DATABASES: Final = {
    "mongo1", "mongo2", "mongo3", "config1", "shard2", "mongos", "redis-cache", "redis-limits",
}  # fmt: skip


def shop_services() -> dict[str, Service]:
    return {name: one for name, one in everything().items() if name in SHOP}


# --- it is what was asked for --------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES)
def test_compose_understands_it(profile: str) -> None:
    out = read(profile, GIVEN)
    assert out.returncode == 0, out.stderr
    assert "warn" not in out.stderr.lower(), out.stderr


def test_up_gives_a_balancer_servers_workers_three_members_and_two_redis() -> None:
    assert services("").keys() == {
        "haproxy", "api", "worker", "migrate", "keyfile", "mongo1", "mongo2", "mongo3",
        "replica-set", "redis-cache", "redis-limits",
    }  # fmt: skip
    assert services("")["api"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize(
    ("profile", "more"),
    [
        ("sharded", {"config1", "config-set", "shard2", "shard2-set", "mongos", "cluster",
                     "shard-keys"}),
        ("edge", {"nginx"}),
        ("monitoring", {"prometheus", "alertmanager", "grafana", "redis-exporter",
                        "redis-limits-exporter", "blackbox-exporter"}),
        ("elk", {"elasticsearch", "logstash", "kibana", "filebeat", "log-users",
                 "log-template", "log-setup"}),
    ],
)  # fmt: skip
def test_a_profile_adds_its_own_and_takes_nothing_away(profile: str, more: set[str]) -> None:
    assert services(profile).keys() == services("").keys() | more


@pytest.mark.parametrize("name", GIVEN)
def test_a_start_without_a_secret_says_which_and_where_it_goes(name: str) -> None:
    for value in ({}, {name: ""}):
        out = read("", {n: v for n, v in GIVEN.items() if n != name} | value)
        assert out.returncode != 0
        assert f"Write {name} into docker/.env" in out.stderr


def test_more_servers_need_no_edit() -> None:
    api = services("")["api"]
    assert {"container_name", "ports", "hostname"}.isdisjoint(api)
    assert "volumes" not in api


# --- nothing is given away -----------------------------------------------------------------------


def test_no_secret_stands_in_any_file() -> None:
    secret = re.compile(r"PASSWORD|SECRET|_KEY|TOKEN")
    for name, service in written()["services"].items():
        for variable, value in (service.get("environment") or {}).items():
            if secret.search(variable):
                assert re.fullmatch(r"\$\{\w+(:[?-][^}]*)?\}", value), (name, variable)
                assert not re.search(r":-[^}]", value), (name, variable)
    for path in DOCKER.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            assert "PRIVATE KEY" not in text, path
            assert not re.search(r"://\w+:[^@\s${}]+@", text), path


def test_what_a_profile_alone_needs_is_asked_for_by_what_needs_it() -> None:
    for service, variable in {
        "grafana": "GF_SECURITY_ADMIN_PASSWORD", "elasticsearch": "ELASTIC_PASSWORD",
    }.items():  # fmt: skip
        entry = everything()[service]["entrypoint"]
        check = as_run(entry[-1]).partition(";")[0]
        out = subprocess.run(
            ["sh", "-c", check], env={variable: ""}, capture_output=True, text=True, check=False
        )
        assert out.returncode != 0
        assert "into docker/.env" in out.stderr


def test_every_image_is_an_argument_with_a_version() -> None:
    for name, service in everything().items():
        image, _, tag = service["image"].rpartition(":")
        assert image, name
        assert re.match(r"v?\d", tag), (name, tag)
        assert "bitnami" not in image
    text = FILE.read_text("utf-8")
    for line in re.findall(r"^ +image: (.*)$", text, re.MULTILINE):
        assert re.search(r"\$\{[A-Z_]+_IMAGE:-[^}]+\}|^\*[\w-]+$", line), line
    assert re.search(r"BASE_IMAGE: \$\{BASE_IMAGE:-", text)


def test_every_container_is_without_rights_that_it_does_not_need() -> None:
    for name, service in everything().items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"privileged", "pid", "ipc"}.isdisjoint(service), name
        assert service.get("read_only", False) is (name not in WRITES_BESIDE_ITS_PROGRAMS), name
        assert (service.get("user") == "root") is (name == "filebeat")
        assert ("cap_add" in service) is (name == "filebeat")
        assert not [v for v in service.get("volumes", []) if "docker.sock" in str(v)], name


def test_databases_are_reached_from_inside_only() -> None:
    assert written()["networks"]["data"] == {"internal": True}
    for name in DATABASES:
        assert list(everything()[name]["networks"]) == ["data"], name
        assert "ports" not in everything()[name], name


def test_only_balancers_are_reached_from_other_machines() -> None:
    for name, service in everything().items():
        for port in service.get("ports", []):
            assert (port.get("host_ip") == "127.0.0.1") is (name not in {"haproxy", "nginx"})


# --- it agrees with itself and with the product ---------------------------------------------------


def test_what_is_mounted_is_there() -> None:
    for name, service in everything().items():
        for mount in service.get("volumes", []):
            if mount["type"] == "bind" and Path(mount["source"]).is_relative_to(ROOT):
                assert Path(mount["source"]).exists(), (name, mount["source"])
                assert mount["read_only"] is True, name
            if mount["type"] == "volume":
                assert mount["source"] in written()["volumes"], name
    used = [str(mount) for service in everything().values() for mount in service.get("volumes", [])]
    assert [one for one in written()["volumes"] if f"'source': '{one}'" not in str(used)] == []


def test_what_stays_has_a_health_check_and_what_ends_is_tried_again() -> None:
    for name, service in everything().items():
        if name in JOBS:
            assert service["restart"] == "on-failure:10", name
        else:
            assert service["restart"] == "unless-stopped", name
            assert ("test" in service.get("healthcheck", {})) is (name not in {"api", "worker"})
    assert "healthcheck" not in everything()["api"]  # that of the image
    assert everything()["worker"]["healthcheck"] == {"disable": True}


def test_who_waits_for_a_health_check_or_an_end_waits_for_one_that_comes() -> None:
    for name, service in everything().items():
        for other, wait in service.get("depends_on", {}).items():
            ends = wait["condition"] == "service_completed_successfully"
            assert ends is (other in JOBS), (name, other)
            assert other in everything() or wait["required"] is False


def test_every_variable_has_a_name_that_a_shell_passes_on() -> None:
    """dash, the `sh` of Debian and Ubuntu, keeps `discovery.type` from what it starts."""
    for name, service in everything().items():
        for variable in service.get("environment", {}):
            assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable), (name, variable)


def test_elasticsearch_is_one_node_that_speaks_plain_http_inside() -> None:
    given = services("elk")["elasticsearch"]["environment"]
    assert {name: value for name, value in given.items() if name.startswith("ES_SETTING_")} == {
        "ES_SETTING_DISCOVERY_TYPE": "single-node",
        "ES_SETTING_XPACK_SECURITY_HTTP_SSL_ENABLED": "false",
        "ES_SETTING_XPACK_SECURITY_TRANSPORT_SSL_ENABLED": "false",
    }


def test_the_shop_is_asked_for_variables_that_it_reads() -> None:
    for name, service in shop_services().items():
        assert set(service["environment"]) <= known_variables(), name
        assert service["environment"]["RATE_LIMIT_REDIS_URL"] != service["environment"]["REDIS_URL"]


_SET_BY_US: Final = {
    # by the file
    "MONGODB_URI", "REDIS_URL", "RATE_LIMIT_REDIS_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES",
    # by the image
    "DJANGO_SETTINGS_MODULE", "HOST", "PORT", "PROMETHEUS_MULTIPROC_DIR", "DRAIN_SECONDS",
    # not for production
    "STORE_PATH", "RATE_LIMITS_ENABLED",
    # names a file, so it takes a mount of the operator's own
    "BREACHED_PASSWORDS_FILE",
}  # fmt: skip


def test_every_other_setting_of_the_example_may_stand_in_docker_env() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    names = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) - _SET_BY_US
    given = {name: f"a value of {name}" for name in names}
    out = read("", {**GIVEN, **given})
    assert out.returncode == 0, out.stderr
    for name in ("api", "worker", "migrate"):
        environment = json.loads(out.stdout)["services"][name]["environment"]
        assert {each: environment.get(each) for each in names} == given, name


def test_production_settings_accept_what_the_shop_is_given() -> None:
    code = (
        "import django; django.setup(); from django.conf import settings; "
        "print(settings.RATE_LIMIT_REDIS_URL, settings.TRUSTED_PROXIES)"
    )
    for service in shop_services().values():
        given = {**service["environment"], "PATH": os.environ["PATH"]}
        given["DJANGO_SETTINGS_MODULE"] = "ecommerce.settings.production"
        out = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=given, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert out.stdout == "redis://redis-limits:6379/0 1\n", out.stderr


def test_the_databases_that_the_shop_names_are_there() -> None:
    address = services("")["api"]["environment"]["MONGODB_URI"]
    hosts = re.search(r"@([^/]+)/", address)
    assert hosts
    assert hosts[1] == services("")["replica-set"]["environment"]["MEMBERS"]
    for host in hosts[1].split(","):
        assert host.partition(":")[0] in services("")
    sharded = yaml.safe_load(read("sharded", {**GIVEN, "MONGODB_HOSTS": "mongos:27017"}).stdout)
    assert "@mongos:27017/" in sharded["services"]["api"]["environment"]["MONGODB_URI"]


def test_the_shards_are_replica_sets_that_are_initiated() -> None:
    found = services("sharded")
    sets = {
        f"{one['environment']['SET']}/{one['environment']['MEMBERS']}"
        for name, one in found.items()
        if name in {"replica-set", "shard2-set"}
    }
    assert set(found["cluster"]["environment"]["SHARDS"].split(" ")) == sets
    config = found["config-set"]["environment"]
    assert f"{config['SET']}/{config['MEMBERS']}" in found["mongos"]["command"]
    for member in ("mongo1", "mongo2", "mongo3", "shard2"):
        assert "--shardsvr" in found[member]["command"]
    assert found["config1"]["command"][3] == "--configsvr"
    for name, first in (("replica-set", "mongo1"), ("config-set", "config1")):
        assert found[name]["network_mode"] == f"service:{first}"


def test_commands_are_those_of_the_product() -> None:
    for name, service in shop_services().items():
        if name != "api":
            assert service["command"][:2] == ["python", "manage.py"]
            assert service["command"][2] in commands()
    dockerfile = (DOCKER / "Dockerfile").read_text("utf-8")
    assert 'CMD ["gunicorn", "-c", "gunicorn.conf.py"]' in dockerfile
    assert services("")["api"]["command"][-1].endswith("exec gunicorn -c gunicorn.conf.py")


def test_a_server_has_time_to_finish_what_it_answers() -> None:
    gunicorn = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    drain = re.search(r"DRAIN_SECONDS=(\d+)", (DOCKER / "Dockerfile").read_text("utf-8"))
    assert drain
    needed = int(drain[1]) + gunicorn["graceful_timeout"]
    assert needed < _seconds(services("")["api"]["stop_grace_period"])


def _seconds(duration: Any) -> float:
    found = re.fullmatch(r"(?:(\d+)m)?(\d+)s", str(duration))
    assert found, duration
    return 60 * int(found[1] or 0) + int(found[2])


def test_all_that_the_shop_writes_to_is_a_bounded_tmp() -> None:
    for service in shop_services().values():
        assert service["tmpfs"] == ["/tmp:size=256m,mode=1777"]
    assert "PROMETHEUS_MULTIPROC_DIR=/tmp/" in (DOCKER / "Dockerfile").read_text("utf-8")


def test_four_of_the_largest_files_may_come_in_at_once_and_leave_a_server_its_memory() -> None:
    """What lies in a tmpfs counts as memory of its container."""
    size, largest = 256 * 1024**2, max(settings.FILE_UPLOAD_LIMITS.values())
    assert (
        4 * largest
        < size
        <= int(services("")["api"]["deploy"]["resources"]["limits"]["memory"]) / 4
    )


def test_haproxy_is_told_what_its_configuration_reads_and_listens_where_it_is_published() -> None:
    config = (DOCKER / "haproxy" / "haproxy.cfg").read_text("utf-8")
    haproxy = services("")["haproxy"]
    assert set(haproxy["environment"]) <= set(re.findall(r"[A-Z_]{5,}", config))
    listens = set(re.findall(r"_BIND-:(\d+)", config))
    assert {str(port["target"]) for port in haproxy["ports"]} | {"8405"} == listens
    # Defined only where somebody gives it: HAProxy asks whether it is.
    assert haproxy["environment"].get("TLS_CERTIFICATE") is None
    assert (
        haproxy["environment"]["SHOP_HOST"] == services("")["api"]["environment"]["ALLOWED_HOSTS"]
    )


def test_nginx_is_given_every_variable_of_its_template() -> None:
    nginx = services("edge")["nginx"]
    template = Template((DOCKER / "nginx" / "nginx.conf.template").read_text("utf-8"))
    named = {name for name in template.get_identifiers() if name.isupper()}
    assert named == set(nginx["environment"]) - {"NGINX_ENVSUBST_OUTPUT_DIR"}
    assert str(nginx["ports"][0]["target"]) == nginx["environment"]["HTTP_LISTEN"]
    assert nginx["command"][2] == f"{nginx['environment']['NGINX_ENVSUBST_OUTPUT_DIR']}/nginx.conf"


def test_what_prometheus_scrapes_is_there_and_in_reach() -> None:
    config = yaml.safe_load((DOCKER / "prometheus" / "prometheus.yml").read_text("utf-8"))
    text = str(config)
    named = set(re.findall(r"([a-z][a-z-]+):\d{4}\b", text)) - {"localhost"}
    named |= {name for job in config["scrape_configs"] for sd in job.get("dns_sd_configs", ())
              for name in sd["names"]}  # fmt: skip
    assert named >= {"api", "haproxy", "redis-exporter", "redis-limits-exporter", "alertmanager"}
    for name in named:
        # In two networks it would have two addresses, and be counted twice.
        assert len(shared("prometheus", name)) == 1, name


def shared(one: str, other: str) -> set[str]:
    """The networks in which both are."""
    found = everything()
    return set(found[one]["networks"]) & set(found[other]["networks"])


@pytest.mark.parametrize("balancer", ["haproxy", "nginx"])
def test_a_balancer_finds_each_server_once(balancer: str) -> None:
    assert shared(balancer, "api") == {"edge"}


@pytest.mark.parametrize("service", ["kibana", "logstash", "filebeat"])
def test_what_ships_logs_is_told_what_its_files_read(service: str) -> None:
    one = services("elk")[service]
    given = {name for name in one.get("environment", {}) if not name.endswith("_JAVA_OPTS")}
    files = [Path(m["source"]) for m in one["volumes"] if m["type"] == "bind"]
    text = "".join(
        path.read_text("utf-8")
        for source in files if source.is_relative_to(ROOT)
        for path in ([source] if source.is_file() else source.rglob("*.*"))
    )  # fmt: skip
    asked = dict(re.findall(r"\$\{([A-Z_]+)(?::([^}]*))?\}", text))
    assert given <= asked.keys()
    assert {name for name, default in asked.items() if not default} <= given
