"""docs/deploy.md and docs/backup.md name services, users and files that are there."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.ops.compose import everything
from tests.ops.kubernetes import of_kind
from tests.queries import ROOT

pytestmark = pytest.mark.ops
DEPLOY: Final = (ROOT / "docs" / "deploy.md").read_text("utf-8")
BACKUP: Final = (ROOT / "docs" / "backup.md").read_text("utf-8")
INITIATE: Final = (ROOT / "docker" / "mongodb" / "initiate.js").read_text("utf-8")
_WITH_VALUE: Final = {"--volume", "--env"}
"""Options of `docker compose exec` and `run` that a value follows."""


def shell_of(page: str) -> str:
    """What a page has to type, one line for each command."""
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    return "".join(blocks).replace("\\\n", " ")


def calls(page: str, *commands: str) -> list[list[str]]:
    """What a page tells Compose to do, by one of its commands: all that follows it."""
    named = "|".join(commands)
    lines = re.findall(rf"docker compose --file docker/compose.yaml (?:{named}) (.*)", page)
    return [line.split() for line in lines]


def service_of(call: list[str]) -> str:
    """The service in which a command runs."""
    words = iter(call)
    for word in words:
        if word in _WITH_VALUE:
            next(words)
        elif not word.startswith("-"):
            return word
    raise AssertionError(call)


def test_every_service_that_a_page_runs_something_in_is_there() -> None:
    found = [service_of(call) for call in calls(shell_of(DEPLOY + BACKUP), "exec", "run")]
    assert len(found) >= 6
    assert set(found) <= everything().keys()
    for call in calls(shell_of(DEPLOY + BACKUP), "stop"):
        assert set(call) <= everything().keys()


def test_compose_is_backed_up_and_restored_on_its_own_replica_set() -> None:
    tools = {
        call[2]: call[3:]
        for call in calls(shell_of(BACKUP), "exec")
        if service_of(call) == "mongo1"
    }
    assert tools.keys() == {"mongodump", "mongorestore"}
    job = everything()["replica-set"]["environment"]
    for words in tools.values():
        assert words[words.index("--host") + 1] == f"{job['SET']}/{job['MEMBERS']}"
        assert words[words.index("--authenticationDatabase") + 1] == "admin"
        assert "--password" not in words  # every process list would show it
        assert {"--gzip", "--archive"} <= set(words)
    dump, restore = tools["mongodump"], tools["mongorestore"]
    assert "--oplog" in dump
    assert {"--oplogReplay", "--drop"} <= set(restore)
    assert dump[dump.index("--username") + 1] == "backup"
    assert restore[restore.index("--username") + 1] == "admin"
    assert 'setUser("backup", MONGODB_BACKUP_PASSWORD, ["backup"])' in INITIATE


def test_the_shop_has_no_rights_for_dumps_and_no_page_asks_it_for_one() -> None:
    for line in shell_of(BACKUP).splitlines():
        if "--oplog" in line:
            assert "MONGODB_URI" not in line
            assert re.search(r"//(backup|restore)@|--username (backup|admin)", line), line
    for role in ("backup", "restore", "replay"):
        assert re.search(rf"""roles: \[[^]]*"{role}"|role: "{role}\"""", BACKUP), role


@pytest.mark.parametrize(
    ("service", "folder"), [("haproxy", "TLS_FOLDER"), ("alertmanager", "ALERTMANAGER_SECRETS")]
)
def test_who_reads_a_secret_file_is_its_owner(service: str, folder: str) -> None:
    """Without capabilities not even root would read what is another's."""
    user, _, group = everything()[service]["user"].partition(":")
    assert user == group
    (mounted,) = re.findall(rf"install -o (\d+) -m (\d+) \S+ .*{folder}.*", shell_of(DEPLOY))
    assert mounted == (user, "400")


def test_new_code_has_what_it_requires_before_it_runs() -> None:
    """On servers with systemd nothing else installs it: not at first, not for a release."""
    (part,) = re.findall(r"^## Some servers: systemd\n(.*?)^## ", DEPLOY, re.DOTALL | re.MULTILINE)
    install = "/opt/shop/.venv/bin/pip install --require-hashes -r /opt/shop/requirements/base.txt"
    blocks = [block for block in re.findall(r"```sh\n(.*?)```", part, re.DOTALL) if "git " in block]
    assert len(blocks) == 2, "the first time and a release"
    for block in blocks:
        steps = ["git ", install, "systemctl start shop-migrate", "shop-api shop-worker"]
        places = [block.index(step) for step in steps]
        assert places == sorted(places), block


def test_pages_of_the_front_end_may_ask_an_api_of_compose() -> None:
    (said,) = re.findall(
        r"^cat >> docker/\.env <<'END'\n(.*?)^END$", DEPLOY, re.DOTALL | re.MULTILINE
    )
    given = dict(line.split("=", 1) for line in said.splitlines())
    assert given["SHOP_HOST"] != given["PUBLIC_URL"].removeprefix("https://")
    assert given["PUBLIC_URL"] in given["CORS_ALLOWED_ORIGINS"].split(",")


def kubectl_calls(page: Path) -> list[str]:
    """What a page has to type, in blocks and in its sentences."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    return re.findall(r"^kubectl [^#\n]+|(?<=`)kubectl [^`]+", text, re.MULTILINE)


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=lambda page: page.name)
def test_every_kubectl_command_that_names_an_object_says_where_it_is(page: Path) -> None:
    """Without a namespace it asks `default`, where nothing of the shop is."""
    for call in kubectl_calls(page):
        verb, *named = re.split(r"\s-", call.removeprefix("kubectl "))[0].split()
        if len(named) > 1 or any("/" in word for word in named):
            assert re.search(r" --namespace [\w-]+", call), f"{verb}: {call}"


def test_a_restore_on_kubernetes_stops_all_that_writes_and_starts_it_again() -> None:
    calls = [call for call in kubectl_calls(ROOT / "docs" / "backup.md") if "get psmdb" not in call]
    writing = {one["metadata"]["name"] for one in of_kind("production", "Deployment")}
    assert writing == {"api", "worker"}
    scaled = [
        (name, int(call.split("--replicas ")[1]))
        for call in calls if " scale " in call for name in re.findall(r"deployment/(\w+)", call)
    ]  # fmt: skip
    (worker,) = (
        one["spec"]["replicas"]
        for one in of_kind("production", "Deployment") if one["metadata"]["name"] == "worker"
    )  # fmt: skip
    (api,) = (
        one["spec"]["minReplicas"] for one in of_kind("production", "HorizontalPodAutoscaler")
    )
    assert scaled == [("api", 0), ("worker", 0), ("worker", worker), ("api", api)]
    nightly = [one["metadata"]["name"] for one in of_kind("production", "CronJob")]
    patched = [call for call in calls if " patch cronjob " in call]
    assert len(patched) == 2
    for call, suspended in zip(patched, ("true", "false"), strict=True):
        assert call.split(" --")[0].split()[3:] == nightly
        assert f'{{"spec":{{"suspend":{suspended}}}}}' in call
    commands = re.findall(r"manage\.py (\w+)", " ".join(calls))
    assert commands == ["migrate", "shard_cluster", "verify_invariants"]
