"""The jobs of docker/compose.yaml that set databases up: run by node and sh, on doubles."""

import json
import os
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest
import yaml

from tests.ops.compose import GIVEN, read, services
from tests.ops.conftest import needs
from tests.queries import ROOT

pytestmark = pytest.mark.ops
DOCKER: Final = ROOT / "docker"
DOUBLE: Final = ROOT / "tests" / "ops" / "mongosh.js"
State = dict[str, Any]


def mongosh(service: str, state: State, **changed: str) -> subprocess.CompletedProcess[str]:
    """The script of a job, with the variables that the job gets."""
    needs("node", package="nodejs")
    job = services("sharded")[service]
    script = DOCKER / "mongodb" / job["command"][-1].rpartition("/")[2]
    variables = {**job["environment"], **changed, "PATH": os.environ["PATH"]}
    command = ["node", str(DOUBLE), str(script), json.dumps(state)]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def after(service: str, state: State | None = None, **changed: str) -> State:
    """The state of the server after a job."""
    out = mongosh(service, state or {}, **changed)
    assert out.returncode == 0, out.stderr
    found: State = json.loads(out.stdout)
    return found


def test_a_new_set_gets_its_members_and_two_users() -> None:
    state = after("replica-set")
    assert state["set"] == {
        "_id": "rs0",
        "members": [
            {"_id": 0, "host": "mongo1:27017", "priority": 2},
            {"_id": 1, "host": "mongo2:27017", "priority": 1},
            {"_id": 2, "host": "mongo3:27017", "priority": 1},
        ],
    }
    assert state["users"] == {
        "admin": {"pwd": "of-the-admin-in-tests", "roles": ["root", "replay"]},
        "shop": {
            "pwd": "of-the-shop-in-tests",
            "roles": [
                {"role": "readWrite", "db": "ecommerce"},
                {"role": "clusterManager", "db": "admin"},
            ],
        },
    }


def test_who_makes_dumps_is_a_user_that_can_do_nothing_else() -> None:
    users = after("replica-set", MONGODB_BACKUP_PASSWORD="of-dumps")["users"]
    assert users.keys() == {"admin", "shop", "backup"}
    assert users["backup"] == {"pwd": "of-dumps", "roles": ["backup"]}


def test_who_brings_a_dump_back_may_replay_its_oplog() -> None:
    """No role of MongoDB's own allows that."""
    first = after("replica-set")
    assert first["roles"] == {
        "replay": {
            "privileges": [{"resource": {"anyResource": True}, "actions": ["anyAction"]}],
            "roles": [],
        }
    }
    assert after("replica-set", first)["roles"] == first["roles"]


def test_the_set_of_config_servers_is_one() -> None:
    state = after("config-set")
    assert (state["set"]["_id"], state["set"]["configsvr"]) == ("config", True)
    assert state["users"].keys() == {"admin", "shop"}


def test_again_it_changes_nothing() -> None:
    first = after("replica-set")
    again = after("replica-set", first)
    assert (again["set"], again["users"]) == (first["set"], first["users"])


def test_an_attempt_that_ended_half_way_is_finished() -> None:
    whole = after("replica-set")
    without_users = {"set": whole["set"], "users": {}}
    without_shop = {"set": whole["set"], "users": {"admin": whole["users"]["admin"]}}
    for state in (without_users, without_shop):
        assert after("replica-set", state)["users"] == whole["users"]


def test_a_new_password_of_the_shop_is_taken_over() -> None:
    state = after("replica-set", after("replica-set"), MONGODB_PASSWORD="another")
    assert state["users"]["shop"]["pwd"] == "another"


def test_a_wrong_password_of_the_admin_fails_and_changes_nothing() -> None:
    out = mongosh("replica-set", after("replica-set"), MONGODB_ADMIN_PASSWORD="another")
    assert out.returncode != 0
    assert "authentication failed" in out.stderr


def test_both_shards_are_added_once() -> None:
    users = {"admin": {"pwd": "of-the-admin-in-tests"}}
    first = after("cluster", {"users": users})
    assert first["shards"] == [
        "rs0/mongo1:27017,mongo2:27017,mongo3:27017", "rs1/shard2:27017",
    ]  # fmt: skip
    assert after("cluster", first)["shards"] == first["shards"]


def test_the_keyfile_is_made_once_and_only_its_owner_reads_it(tmp_path: Any) -> None:
    (command,) = services("")["keyfile"]["command"]
    line = command.replace("/data/configdb", str(tmp_path))
    key, made = tmp_path / "key", []
    for _ in range(2):
        subprocess.run(["sh", "-c", line], check=True)
        made.append(key.read_text())
    assert key.stat().st_mode & 0o777 == 0o400
    assert made[0] == made[1]
    assert 800 < len(made[0]) <= 1024  # MongoDB takes 6 to 1024 characters


class Listener:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str | None, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        sent = self.sent

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                sent.append((self.command, self.path, self.headers["Authorization"], body))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_POST = do_PUT  # noqa: N815 - the name is given

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler

    def end(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Where Elasticsearch would be."""
    one = Listener()
    yield one
    one.end()


def users_of_logs(url: str, password: str) -> subprocess.CompletedProcess[str]:
    needs("curl", package="curl")
    given = {"ELASTICSEARCH_URL": url, "ELASTICSEARCH_PASSWORD": password}
    script = ["sh", str(DOCKER / "elasticsearch" / "users.sh")]
    environment = {"PATH": os.environ["PATH"], **given}
    return subprocess.run(script, env=environment, capture_output=True, text=True, check=False)


def test_logstash_may_write_lines_and_kibana_may_sign_in(listener: Listener) -> None:
    assert users_of_logs(listener.url, "sesame-77").returncode == 0
    assert [(method, path) for method, path, _, _ in listener.sent] == [
        ("PUT", "/_security/role/logstash_writer"),
        ("PUT", "/_security/user/logstash_writer"),
        ("POST", "/_security/user/kibana_system/_password"),
    ]
    assert {login for _, _, login, _ in listener.sent} == {"Basic ZWxhc3RpYzpzZXNhbWUtNzc="}
    role, user, kibana = (body for _, _, _, body in listener.sent)
    assert role["indices"][0]["names"] == ["logs-shop.*"]
    assert user == {"roles": ["logstash_writer"], "password": "sesame-77"}
    assert kibana == {"password": "sesame-77"}


@pytest.mark.parametrize("password", ["", 'half"way', "half way"])
def test_a_password_that_cannot_be_passed_on_is_refused(listener: Listener, password: str) -> None:
    out = users_of_logs(listener.url, password)
    assert out.returncode != 0
    assert "ELASTICSEARCH_PASSWORD" in out.stderr
    assert listener.sent == []


def test_template_and_lifecycle_are_there_before_the_first_line_is_written(
    listener: Listener,
) -> None:
    """A line before them would make its data stream by a template that deletes nothing."""
    needs("curl", package="curl")
    waits = services("elk")["logstash"]["depends_on"]
    assert waits["log-template"]["condition"] == "service_completed_successfully"
    job = services("elk")["log-template"]
    assert job["entrypoint"] == ["sh", "/shop/setup.sh"]
    given = {**job["environment"], "ELASTICSEARCH_URL": listener.url, "PATH": os.environ["PATH"]}
    script = ["sh", str(DOCKER / "elasticsearch" / "setup.sh")]
    subprocess.run(script, env=given, capture_output=True, check=True)
    assert [(method, path) for method, path, _, _ in listener.sent] == [
        ("PUT", "/_ilm/policy/shop-logs"),
        ("PUT", "/_index_template/shop-logs"),
    ]


def site_targets(folder: Path, **variables: str) -> Any:
    """What Prometheus probes as the public address, when Compose starts it with these in .env."""
    out = read("monitoring", {**GIVEN, **variables})
    service = json.loads(out.stdout)["services"]["prometheus"]
    assert service["entrypoint"] == ["sh", "/etc/prometheus/start.sh"]
    assert [path.partition(":")[0] for path in service["tmpfs"]] == ["/tmp"]
    config = yaml.safe_load((DOCKER / "prometheus" / "prometheus.yml").read_text("utf-8"))
    (site,) = [job for job in config["scrape_configs"] if job["job_name"] == "site"]
    (told,) = site["file_sd_configs"]
    assert told["files"] == ["/tmp/site.json"]
    started = folder / "prometheus"
    started.write_text('#!/bin/sh\necho "$@"\n')
    started.chmod(0o755)
    script = (DOCKER / "prometheus" / "start.sh").read_text("utf-8")
    line = script.replace(told["files"][0], str(folder / "site.json"))
    given = {**service["environment"], "PATH": f"{folder}:{os.environ['PATH']}"}
    out = subprocess.run(["sh", "-c", line], env=given, capture_output=True, text=True, check=True)
    assert out.stdout == (
        "--config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/prometheus\n"
    )
    return json.loads((folder / "site.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("variables", "probed"),
    [
        ({}, []),
        ({"SHOP_HOST": "shop.test"}, ["https://shop.test/products/?limit=1"]),
        ({"SHOP_HOST": "shop.test", "SITE_URL": "https://b.test/x"}, ["https://b.test/x"]),
    ],
)
def test_the_site_that_is_probed_is_the_one_of_the_shop(
    tmp_path: Path, variables: dict[str, str], probed: list[str]
) -> None:
    """A shop without a host, on somebody's laptop, has none that could be unreachable."""
    assert site_targets(tmp_path, **variables) == ([{"targets": probed}] if probed else [])
