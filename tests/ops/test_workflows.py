"""The workflows of GitHub Actions: pinned, with few rights, and made of make targets."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from django.conf import settings

from tests.queries import ROOT

FOLDER: Final = ROOT / ".github" / "workflows"
NAMES: Final = sorted(path.name for path in FOLDER.glob("*.yml"))
PINNED: Final = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$")
OURS: Final = re.compile(r"uses: \./\.github/workflows/[\w.-]+$")
TARGETS: Final = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
MAY_WRITE: Final = {
    ("image.yml", "publish"): {"packages", "id-token", "attestations"},
    ("main.yml", "image"): {"packages", "id-token", "attestations"},
    ("release.yml", "image"): {"packages", "id-token", "attestations"},
    ("release.yml", "release"): {"contents"},
}
"""The only jobs that may change something on GitHub, and what."""

Workflow = dict[Any, Any]


def workflow(name: str) -> Workflow:
    parsed: Workflow = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    return parsed


def triggers(name: str) -> Workflow:
    """What starts it."""
    return dict(workflow(name)[True])  # YAML reads the key `on` as true


def jobs(name: str) -> dict[str, Workflow]:
    return dict(workflow(name)["jobs"])


def steps() -> Iterator[tuple[str, Workflow]]:
    for name in NAMES:
        for job, said in jobs(name).items():
            for step in said.get("steps", []):
                yield f"{name}: {job}", step


def test_there_are_these_workflows() -> None:
    assert NAMES == [
        "ci.yml", "deploy.yml", "image.yml", "main.yml", "nightly.yml", "release.yml",
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_pinned_by_its_commit_and_says_its_version(name: str) -> None:
    lines = (FOLDER / name).read_text("utf-8").splitlines()
    used = [line.strip().removeprefix("- ") for line in lines if "uses:" in line]
    assert used
    assert [line for line in used if not (PINNED.search(line) or OURS.search(line))] == []


def test_one_action_has_one_pin_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for path in FOLDER.glob("*.yml"):
        for action, commit in re.findall(r"uses: ([\w/-]+)@([0-9a-f]+)", path.read_text("utf-8")):
            pins.setdefault(action, set()).add(commit)
    assert {action: found for action, found in pins.items() if len(found) != 1} == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_job_has_the_rights_that_it_names_and_no_others(name: str) -> None:
    assert workflow(name)["permissions"] == {}
    for job, said in jobs(name).items():
        writes = {right for right, level in said["permissions"].items() if level == "write"}
        assert writes == MAY_WRITE.get((name, job), set()), job
        assert set(said["permissions"].values()) <= {"read", "write"}


@pytest.mark.parametrize("name", NAMES)
def test_every_job_that_runs_ends_in_time(name: str) -> None:
    for job, said in jobs(name).items():
        assert "uses" in said or said["timeout-minutes"] <= 240, job


def test_every_run_is_one_make_target_that_exists() -> None:
    runs = [(where, step["run"]) for where, step in steps() if "run" in step]
    assert len(runs) > 8
    for where, run in runs:
        match = re.fullmatch(r"make ([a-z-]+)", run)
        assert match, (where, run)
        assert match[1] in TARGETS, (where, run)


def test_no_checkout_leaves_a_token_behind() -> None:
    checkouts = [step for _, step in steps() if "actions/checkout@" in step.get("uses", "")]
    assert len(checkouts) > 5
    assert {step["with"]["persist-credentials"] for step in checkouts} == {False}


def test_no_secret_but_those_of_a_protected_environment_is_read() -> None:
    for name in NAMES:
        for job, said in jobs(name).items():
            if "secrets." in yaml.safe_dump(said):
                assert said["environment"] == "${{ inputs.environment }}", (name, job)


def test_the_image_is_scanned_before_it_is_published_with_its_origin_and_its_parts() -> None:
    publish = jobs("image.yml")["publish"]
    assert publish["needs"] == "scan"
    assert any(
        "anchore/scan-action@" in s.get("uses", "") for s in jobs("image.yml")["scan"]["steps"]
    )
    (build,) = (s["with"] for s in publish["steps"] if "build-push-action@" in s.get("uses", ""))
    assert build["platforms"] == "linux/amd64,linux/arm64"
    assert (build["sbom"], build["provenance"], build["push"]) == (True, "mode=max", True)


def test_an_image_says_which_version_and_which_commit_it_is() -> None:
    (build,) = (
        step["with"] for step in jobs("image.yml")["publish"]["steps"]
        if "build-push-action@" in step.get("uses", "")
    )  # fmt: skip
    assert build["build-args"].splitlines() == [
        "VERSION=${{ inputs.tag }}", "REVISION=${{ github.sha }}",
    ]  # fmt: skip
    assert build["tags"] == "${{ env.NAME }}:${{ inputs.tag }}"


def test_a_state_of_main_or_a_tag_becomes_an_image_only_after_the_tests() -> None:
    assert triggers("main.yml") == {"push": {"branches": ["main"]}}
    assert set(triggers("ci.yml")) == {"pull_request", "workflow_call"}
    assert set(triggers("image.yml")) == {"pull_request", "workflow_call"}
    assert jobs("image.yml")["publish"]["if"] == "github.event_name != 'pull_request'"
    tags = {"main.yml": "${{ github.sha }}", "release.yml": "${{ github.ref_name }}"}
    for name, tag in tags.items():
        assert jobs(name)["tests"]["uses"] == "./.github/workflows/ci.yml"
        image = jobs(name)["image"]
        assert (image["needs"], "if" in image) == ("tests", False)
        assert (image["uses"], image["with"]) == ("./.github/workflows/image.yml", {"tag": tag})


def test_a_push_to_main_does_not_stop_the_tests_of_the_one_before() -> None:
    stops = workflow("ci.yml")["concurrency"]["cancel-in-progress"]
    assert stops == "${{ github.event_name == 'pull_request' }}"


def test_a_release_comes_after_its_image() -> None:
    assert jobs("release.yml")["release"]["needs"] == "image"


def test_a_tag_that_is_not_the_version_of_the_code_becomes_no_image() -> None:
    (check,) = (step for step in jobs("release.yml")["version"]["steps"] if "run" in step)
    assert (check["run"], check["env"]) == (
        "make release-version", {"TAG": "${{ github.ref_name }}"},
    )  # fmt: skip
    assert jobs("release.yml")["tests"]["needs"] == "version"
    assert script("deploy/release-version", TAG=f"v{settings.VERSION}").returncode == 0
    other = script("deploy/release-version", TAG="v7.8.9")
    assert other.returncode == 1
    assert other.stdout == (
        f"The tag is v7.8.9, and the code says of itself that it is {settings.VERSION}. Set "
        "VERSION in ecommerce/settings/base.py and the other places that "
        "tests/ops/test_workflows.py names to 7.8.9, and tag that commit.\n"
    )


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("ecommerce/settings/base.py", r'^VERSION = "(.+)"$'),
        ("pyproject.toml", r'^version = "(.+)"$'),
        ("docker/Dockerfile", r"^ARG VERSION=(.+)$"),
        ("docker/compose.yaml", r"image: \$\{SHOP_IMAGE:-shop:(.+)\}$"),
        ("deploy/kubernetes/base/kustomization.yaml", r"^ +newTag: (.+)$"),
    ],
)
def test_every_place_that_states_the_version_states_the_same(path: str, said: str) -> None:
    found = re.findall(said, (ROOT / path).read_text("utf-8"), re.MULTILINE)
    assert found == [settings.VERSION]


def test_a_deployment_waits_for_its_environment_and_never_for_another_half_way() -> None:
    for job in jobs("deploy.yml").values():
        assert job["environment"] == "${{ inputs.environment }}"
    assert workflow("deploy.yml")["concurrency"]["cancel-in-progress"] is False
    inputs = triggers("deploy.yml")["workflow_dispatch"]["inputs"]
    for overlay in inputs["environment"]["options"]:
        assert (ROOT / "deploy" / "kubernetes" / "overlays" / overlay).is_dir()


def test_a_deployment_has_the_time_that_its_rollout_may_take() -> None:
    """Ended from outside before it has gone back, it leaves a release that does not serve."""
    said = (ROOT / "deploy" / "kubernetes" / "rollout").read_text("utf-8")
    (polls,) = re.findall(r"\$\{MIGRATE_POLLS:-(\d+)\}", said)
    (pause,) = re.findall(r"\$\{POLL_SECONDS:-(\d+)\}", said)
    (workloads,) = re.findall(r"^workloads=\((.*)\)$", said, re.MULTILINE)
    waits = re.findall(r"rollout status \S+ --timeout (\d+)m", said)
    assert len(waits) == said.count("rollout status"), "one has no end"
    back, forward = sorted(len(workloads.split()) * int(minutes) for minutes in waits)
    indexes = int(polls) * int(pause) // 60
    assert (indexes, forward, back) == (60, 30, 20)
    rest = 10
    """Minutes for what else is done: the image's origin, applying, asking."""
    assert jobs("deploy.yml")["deploy"]["timeout-minutes"] >= indexes + forward + back + rest
    assert jobs("deploy.yml")["rollback"]["timeout-minutes"] >= back + rest


def test_dependabot_is_asked_only_for_what_it_can_update() -> None:
    # It reads an image from FROM itself; ours stands in an argument, so that another may be given.
    froms = re.findall(r"(?m)^FROM (\S+)", (ROOT / "docker" / "Dockerfile").read_text("utf-8"))
    assert set(froms) == {"${BASE_IMAGE}"}
    asked = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text("utf-8"))["updates"]
    assert [one["package-ecosystem"] for one in asked] == ["github-actions"]


def test_the_suites_run_on_a_replica_set_and_on_a_sharded_cluster() -> None:
    script = (ROOT / ".ci" / "mongodb").read_text("utf-8")
    matrix = jobs("ci.yml")["mongodb"]["strategy"]["matrix"]["include"]
    topologies = {row["topology"] for row in matrix}
    assert topologies == {"replica-set", "sharded-cluster"}
    assert all(f"\n  {topology})\n" in script for topology in topologies)


def test_a_topology_that_is_not_known_is_refused() -> None:
    done = script(".ci/mongodb", TOPOLOGY="two-nodes")
    assert done.returncode == 1
    assert "TOPOLOGY is replica-set or sharded-cluster, not two-nodes." in done.stdout


SCRIPTS: Final = (".ci/audit", ".ci/mongodb", ".ci/packages", ".ci/run", ".ci/workflows")
DEPLOYING: Final = (
    "deploy/release", "deploy/release-version", "deploy/verify-image", "deploy/kubernetes/rollout",
)  # fmt: skip


@pytest.mark.parametrize("name", [*SCRIPTS, *DEPLOYING])
def test_a_script_is_understood_and_ends_at_its_first_fault(name: str) -> None:
    subprocess.run(["bash", "-n", name], cwd=ROOT, check=True)
    assert "\nset -euo pipefail\n" in (ROOT / name).read_text("utf-8")


def script(name: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", name], cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.fixture
def changelog(tmp_path: Path) -> Path:
    written = tmp_path / "CHANGELOG.md"
    sections = ["# Changelog", "## Unreleased", "- Later.", "## 1.2.0", "### Added", "- Carts."]
    written.write_text("\n".join([*sections, "## 1.1.0", "- Users.", ""]))
    return written


def notes(changelog: Path, tag: str) -> subprocess.CompletedProcess[str]:
    image = "ghcr.io/shop/api@sha256:12"
    given = {"TAG": tag, "IMAGE": image, "NOTES_ONLY": "true", "CHANGELOG": str(changelog)}
    return script("deploy/release", **given)


def test_a_release_says_what_the_changelog_says_of_its_version(changelog: Path) -> None:
    done = notes(changelog, "v1.2.0")
    assert done.stdout == "### Added\n- Carts.\n\n### Image\n`ghcr.io/shop/api@sha256:12`\n"


def test_a_version_that_the_changelog_does_not_know_is_not_released(changelog: Path) -> None:
    done = notes(changelog, "v1.3.0")
    assert (done.returncode, done.stdout) == (1, 'CHANGELOG.md has no section "## 1.3.0".\n')


@pytest.fixture
def verify(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """`make verify-image` with a double of GitHub's client, which says what it was asked."""
    client = tmp_path / "gh"
    client.write_text('#!/bin/sh\necho "$@"\n')
    client.chmod(0o755)

    def run(**given: str) -> tuple[int, str]:
        path = f"{tmp_path}:{os.environ['PATH']}"
        image = "ghcr.io/shop/api@sha256:12"
        done = script(
            "deploy/verify-image", PATH=path, IMAGE=image, GITHUB_REPOSITORY="shop/api", **given
        )
        return done.returncode, done.stdout

    return run


ASKED: Final = (
    "attestation verify oci://ghcr.io/shop/api@sha256:12 --repo shop/api"
    " --signer-workflow shop/api/.github/workflows/image.yml --source-ref "
)


@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_a_released_image_is_one_that_our_workflow_made_of_its_tag(
    overlay: str, verify: Callable[..., tuple[int, str]]
) -> None:
    asked = verify(OVERLAY=overlay, RELEASE="v1.2.3")
    assert asked == (0, f"{ASKED}refs/tags/v1.2.3\n")


def test_staging_takes_a_state_of_main_too(verify: Callable[..., tuple[int, str]]) -> None:
    assert verify(OVERLAY="staging", RELEASE="") == (0, f"{ASKED}refs/heads/main\n")


@pytest.mark.parametrize("overlay", ["production", ""])
def test_production_takes_releases_alone(
    overlay: str, verify: Callable[..., tuple[int, str]]
) -> None:
    said = "production takes a release alone: RELEASE is its tag (v1.2.3).\n"
    assert verify(OVERLAY=overlay, RELEASE="") == (2, said)


@pytest.mark.parametrize("tag", ["main", "v1.2", "v1.2.3/../../heads/main", "v1.2.3-rc1"])
def test_what_is_no_tag_of_a_release_is_not_asked_for(
    tag: str, verify: Callable[..., tuple[int, str]]
) -> None:
    said = f"RELEASE is the tag of a release (v1.2.3), not {tag}.\n"
    assert verify(OVERLAY="production", RELEASE=tag) == (2, said)


def test_a_deployment_verifies_its_image_before_it_rolls_it_out() -> None:
    deploy = jobs("deploy.yml")["deploy"]
    assert [step["run"] for step in deploy["steps"] if "run" in step] == [
        "make verify-image", "make deploy",
    ]  # fmt: skip
    assert deploy["env"] == {
        "OVERLAY": "${{ inputs.environment }}",
        "IMAGE": "${{ inputs.image }}",
        "RELEASE": "${{ inputs.release }}",
    }
