"""`make prepare`, `deploy` and `rollback`, with a cluster that says what a test tells it to say."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.ops.kubernetes import kustomize, rendered
from tests.queries import ROOT

pytestmark = pytest.mark.ops

IMAGE: Final = f"ghcr.io/shop/api@sha256:{'0' * 64}"
KUBECTL: Final = f"""#!{sys.executable}
import json, os, shutil, subprocess, sys
folder, said = os.environ["CLUSTER"], sys.argv[1:]
if said[0] == "kustomize":
    sys.exit(subprocess.run([*json.loads(os.environ["KUSTOMIZE"]), *said[1:]]).returncode)
with open(folder + "/calls", "a") as calls:
    calls.write(json.dumps(said) + "\\n")
if "--filename" in said:
    shutil.copy(said[said.index("--filename") + 1], folder + "/applied.yaml")
if os.environ.get("KUBECONFIG", "").startswith("/tmp"):
    shutil.copy(os.environ["KUBECONFIG"], folder + "/kubeconfig")
line = " ".join(said)
for part, (out, code) in json.loads(os.environ["ANSWERS"]).items():
    if part in line:
        print(out)
        sys.exit(code)
"""
"""A kubectl that renders, and else writes down how it was called and answers as it was told."""


@dataclass
class Cluster:
    """What stands for a cluster: its kubectl, and what that was asked."""

    folder: Path

    def make(
        self, target: str, answers: dict[str, tuple[str, int]], **given: str
    ) -> subprocess.CompletedProcess[str]:
        """A make target on it."""
        environment = {
            **os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}",
            "CLUSTER": str(self.folder), "ANSWERS": json.dumps(answers), "TMPDIR": "/tmp",
            "KUSTOMIZE": json.dumps(kustomize()), "OVERLAY": "production",
            "MIGRATE_POLLS": "3", "POLL_SECONDS": "0", **given,
        }  # fmt: skip
        return subprocess.run(
            ["make", "--silent", target], cwd=ROOT, env=environment, capture_output=True,
            text=True, check=False, timeout=60,
        )  # fmt: skip

    def calls(self) -> list[str]:
        """What it was told to do, without reads."""
        try:
            lines = (self.folder / "calls").read_text().splitlines()
        except FileNotFoundError:
            return []
        words = (json.loads(line) for line in lines)
        return [
            " ".join(word for word in said if not word.startswith("/"))
            for said in words if "get" not in said
        ]  # fmt: skip


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """One that was never asked anything."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)
    return Cluster(tmp_path)


def releases(*listed: str) -> tuple[str, int]:
    """ReplicaSets as it lists them: revision, name, image and settings, hash, hash that served."""
    return "\n".join(listed), 0


RUNNING: Final = {
    "get deployment/api --output": ("two", 0),
    "get deployment/api": ("7", 0), "get deployment/worker": ("4", 0),
    "component=api": releases(
        "6|api-a|one shop-1|a|a", "7|api-b|two shop-1|b|b", "8|api-c|three shop-1|c|b",
    ),
    "component=worker": releases(
        "3|worker-a|one shop-1|d|d", "4|worker-b|two shop-1|e|e", "5|worker-c|three shop-1|f|e",
    ),
}  # fmt: skip
MIGRATED: Final = {**RUNNING, "get job migrate": ("Complete", 0)}
BEFORE: Final = [
    "--namespace shop delete job migrate --ignore-not-found",
    "apply --filename --selector rollout-step in (prepare, before)",
]
AFTER: Final = [
    "apply --filename --selector rollout-step in (after)",
    "--namespace shop rollout status deployment/api --timeout 15m",
]
WORKER: Final = "--namespace shop rollout status deployment/worker --timeout 15m"
SERVED: Final = [
    "--namespace shop annotate replicaset api-c rollout/served=c --overwrite",
    "--namespace shop annotate replicaset worker-c rollout/served=f --overwrite",
]
BACK: Final = [
    "--namespace shop rollout undo deployment/api --to-revision=7",
    "--namespace shop rollout undo deployment/worker --to-revision=4",
    "--namespace shop set image cronjob --selector rollout-step=after shop=two",
    "--namespace shop rollout status deployment/api --timeout 10m",
    "--namespace shop rollout status deployment/worker --timeout 10m",
]


def test_a_place_is_prepared_before_there_are_secrets_or_an_image(cluster: Cluster) -> None:
    done = cluster.make("prepare", {})
    assert done.returncode == 0, done.stderr
    assert cluster.calls() == ["apply --filename --selector rollout-step in (prepare)"]
    assert done.stdout == "Now the Secrets (docs/deploy.md); then make deploy.\n"


def test_indexes_come_first_then_the_code_then_it_is_waited_for(cluster: Cluster) -> None:
    done = cluster.make("deploy", MIGRATED, IMAGE=IMAGE)
    assert done.returncode == 0, done.stderr
    assert cluster.calls() == [*BEFORE, *AFTER, WORKER, *SERVED]


def test_every_pod_of_ours_gets_the_image_by_its_digest(cluster: Cluster) -> None:
    cluster.make("deploy", MIGRATED, IMAGE=IMAGE)
    applied = (cluster.folder / "applied.yaml").read_text()
    pods = [one for one in yaml.safe_load_all(applied) if one["kind"] in {"Deployment", "Job"}]
    found = {
        container["image"]
        for one in pods if one["metadata"]["name"] in {"api", "worker", "migrate"}
        for container in one["spec"]["template"]["spec"]["containers"]
    }  # fmt: skip
    assert found == {IMAGE}


def test_what_runs_at_night_goes_back_to_the_image_of_before_too(cluster: Cluster) -> None:
    """CronJobs have no revisions: each is found by its label and gets the image by this name."""
    jobs = [one for one in rendered("production") if one["kind"] == "CronJob"]
    assert [one["metadata"]["name"] for one in jobs] == [
        "clear-expired-carts", "purge-products", "verify-invariants",
    ]  # fmt: skip
    for one in jobs:
        assert one["metadata"]["labels"]["rollout-step"] == "after"
        (container,) = one["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        assert container["name"] == "shop"
    cluster.make("rollback", MIGRATED)
    undone = "--namespace shop rollout undo deployment/worker --to-revision=4"
    calls = cluster.calls()
    assert calls[calls.index(undone) + 1] == (
        "--namespace shop set image cronjob --selector rollout-step=after shop=two"
    )


def test_where_indexes_cannot_be_made_nothing_is_rolled_out(cluster: Cluster) -> None:
    done = cluster.make("deploy", {**RUNNING, "get job migrate": ("Failed", 0)}, IMAGE=IMAGE)
    assert done.returncode != 0
    assert cluster.calls() == [*BEFORE, "--namespace shop logs job/migrate --tail 50"]
    assert "The old release goes on." in done.stdout


def test_a_release_that_does_not_serve_is_taken_back_to_the_revision_before(
    cluster: Cluster,
) -> None:
    stuck = {**MIGRATED, "rollout status deployment/api --timeout 15m": ("timed out", 1)}
    done = cluster.make("deploy", stuck, IMAGE=IMAGE)
    assert done.returncode != 0
    assert cluster.calls() == [*BEFORE, *AFTER, *BACK]
    assert "The one before is back." in done.stdout


def test_manifests_that_a_cluster_refuses_are_taken_back_too(cluster: Cluster) -> None:
    refused = {**MIGRATED, "rollout-step in (after)": ("admission webhook denied", 1)}
    done = cluster.make("deploy", refused, IMAGE=IMAGE)
    assert done.returncode != 0
    assert cluster.calls() == [*BEFORE, AFTER[0], *BACK]


def test_a_shop_that_does_not_answer_outside_is_taken_back(cluster: Cluster) -> None:
    curl = cluster.folder / "curl"
    curl.write_text('#!/bin/sh\necho "$@" > "$CLUSTER/asked"\nexit 22\n')
    curl.chmod(0o755)
    done = cluster.make("deploy", MIGRATED, IMAGE=IMAGE, SHOP_URL="https://api.shop.example")
    assert done.returncode != 0
    assert "https://api.shop.example/products/?limit=1" in (cluster.folder / "asked").read_text()
    assert cluster.calls() == [*BEFORE, *AFTER, WORKER, *BACK]


def test_a_first_release_has_nothing_to_go_back_to(cluster: Cluster) -> None:
    first = {"get job migrate": ("Complete", 0), "rollout status": ("timed out", 1)}
    done = cluster.make("deploy", first, IMAGE=IMAGE)
    assert done.returncode != 0
    assert cluster.calls() == [*BEFORE, *AFTER]
    assert "there is none to go back to" in done.stdout


@pytest.mark.parametrize(
    "image",
    ["", "ghcr.io/shop/api:1.2.3", "ghcr.io/shop/api@sha256:12", f"$(id)@sha256:{'0' * 64}"],
)
def test_only_a_name_with_its_digest_is_rolled_out(cluster: Cluster, image: str) -> None:
    done = cluster.make("deploy", MIGRATED, IMAGE=image)
    assert done.returncode != 0
    assert "IMAGE must be a name with its digest" in done.stdout
    assert cluster.calls() == []


def test_an_overlay_that_is_not_there_is_refused(cluster: Cluster) -> None:
    done = cluster.make("deploy", MIGRATED, IMAGE=IMAGE, OVERLAY="moon")
    assert done.returncode != 0
    assert done.stdout == "There is no overlay moon.\n"
    assert cluster.calls() == []


def test_a_rollback_goes_to_the_newest_release_that_served_and_waits_for_it(
    cluster: Cluster,
) -> None:
    done = cluster.make("rollback", MIGRATED)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "From three back to two.\n"
    assert cluster.calls() == BACK


def test_a_rollback_after_an_automatic_one_never_goes_forward_to_the_release_that_did_not_serve(
    cluster: Cluster,
) -> None:
    back_at_two = {
        "component=api": releases(
            "6|api-a|one shop-1|a|a", "9|api-b|two shop-1|b|b", "8|api-c|three shop-1|c|b",
        ),
        "component=worker": releases(
            "3|worker-a|one shop-1|d|d", "6|worker-b|two shop-1|e|e", "5|worker-c|three shop-1|f|e",
        ),
    }  # fmt: skip
    done = cluster.make("rollback", back_at_two)
    assert done.stdout == "From two back to one.\n"
    assert cluster.calls()[2:4] == [
        "--namespace shop rollout undo deployment/api --to-revision=6",
        "--namespace shop rollout undo deployment/worker --to-revision=3",
    ]


def test_a_release_that_was_left_by_hand_is_none_that_serves(cluster: Cluster) -> None:
    left = {
        "component=api": releases("6|api-a|one shop-1|a|a", "7|api-b|two shop-1|b|b"),
        "component=worker": releases("3|worker-a|one shop-1|d|d", "4|worker-b|two shop-1|e|e"),
    }
    cluster.make("rollback", left)
    assert cluster.calls()[:2] == [
        "--namespace shop annotate replicaset api-b rollout/served-",
        "--namespace shop annotate replicaset worker-b rollout/served-",
    ]


def test_a_worker_that_was_not_changed_stays_as_it_is(cluster: Cluster) -> None:
    resized = {
        "component=api": releases("6|api-a|one shop-1|a|a", "7|api-b|one shop-1|b|b"),
        "component=worker": releases("3|worker-a|nil shop-1|d|d", "4|worker-b|one shop-1|e|e"),
    }
    cluster.make("rollback", resized)
    assert cluster.calls()[:3] == [
        "--namespace shop annotate replicaset api-b rollout/served-",
        "--namespace shop rollout undo deployment/api --to-revision=6",
        "--namespace shop rollout undo deployment/worker --to-revision=4",
    ]


@pytest.mark.parametrize("workload", ["api", "worker"])
def test_where_no_release_before_is_known_to_have_served_nothing_is_rolled_back(
    cluster: Cluster, workload: str
) -> None:
    only = releases("7|x-b|two shop-1|b|", "8|x-c|three shop-1|c|c")
    done = cluster.make("rollback", {**RUNNING, f"component={workload}": only})
    assert done.returncode != 0
    assert done.stdout == (
        "three runs, and no release before it is known to have served. "
        "Name one: make deploy IMAGE=…\n"
    )
    assert cluster.calls() == []


def test_the_way_into_the_cluster_is_gone_afterwards(cluster: Cluster) -> None:
    cluster.make("rollback", MIGRATED, KUBECONFIG_DATA="apiVersion: v1")
    used = cluster.folder / "kubeconfig"
    assert used.read_text() == "apiVersion: v1"
    assert used.stat().st_mode & 0o077 == 0
    assert not list(Path("/tmp").glob("tmp.*/kubeconfig"))
