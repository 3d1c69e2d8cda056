"""What is installed is what was pinned: exact versions, each with hashes; and the audit of them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
FILES = ("requirements/base.txt", "requirements/test.txt", "requirements/dev.txt")
REQUIREMENT = re.compile(
    r"([a-z0-9.-]+)(?:\[[a-z,]+\])?==(\S+)(?: ; .+?)?((?: --hash=sha256:\w{64})+)"
)


def requirements(name: str) -> list[str]:
    """Each requirement on one line, without comments."""
    text = re.sub(r"\s*\\\n\s*", " ", (ROOT / name).read_text())
    return [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_has_one_version_and_hashes(name: str) -> None:
    lines = requirements(name)
    assert len(lines) > 40
    assert [line for line in lines if not REQUIREMENT.fullmatch(line)] == []


def pins(name: str) -> set[tuple[str, ...]]:
    """Name, version and hashes, whatever the marker says about where they are needed."""
    return {match.groups() for match in map(REQUIREMENT.fullmatch, requirements(name)) if match}


def test_what_is_tested_is_what_runs() -> None:
    assert pins("requirements/base.txt") - pins("requirements/dev.txt") == set()


PRODUCT = ("accounts", "carts", "catalog", "demo", "docker", "ecommerce", "gunicorn.conf.py")


def bandit(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bandit", "--quiet", "--configfile", "pyproject.toml"]
    return subprocess.run(
        [*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_bandit_finds_nothing_in_the_product() -> None:
    done = bandit("--recursive", *PRODUCT)
    assert done.returncode == 0, done.stdout


def test_bandit_would_find_something(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import subprocess\nsubprocess.call('ls', shell=True)\n")
    done = bandit(str(tmp_path / "bad.py"))
    assert (done.returncode, "B602" in done.stdout) == (1, True)


def test_make_lint_looks_at_the_same() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    assert "bandit" in recipe
    assert [name for name in PRODUCT if name not in recipe] == []


FOUND = '{"dependencies": [{"name": "django", "vulns": [{"id": "PYSEC-0000-1"}]}]}'


def audit(tmp_path: Path, answer: str, *, actions: bool) -> tuple[int, str]:
    """The step, with a pip-audit that fails, with this report."""
    tool = tmp_path / "pip-audit"
    tool.write_text(f"#!/usr/bin/env bash\nprintf '%s' '{answer}' > \"${{@: -1}}\"\nexit 1\n")
    tool.chmod(0o755)
    variables = {**os.environ, "PIP_AUDIT": str(tool), "GITHUB_ACTIONS": str(actions).lower()}
    done = subprocess.run(
        ["bash", ".ci/audit"], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("actions", [True, False])
def test_a_known_vulnerability_fails_the_audit_everywhere(tmp_path: Path, actions: bool) -> None:
    code, said = audit(tmp_path, FOUND, actions=actions)
    assert (code, said) == (1, FOUND)


@pytest.mark.parametrize(("actions", "expected"), [(True, 1), (False, 0)])
def test_an_audit_that_nobody_answers_says_so(tmp_path: Path, actions: bool, expected: int) -> None:
    code, said = audit(tmp_path, "", actions=actions)
    assert code == expected
    assert said.startswith("NOT AUDITED: ")
