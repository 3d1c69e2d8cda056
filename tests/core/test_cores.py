"""Cores that a container may use, as the kernel shows its quota in either version of cgroups."""

import os
from pathlib import Path

import pytest

from ecommerce.settings.cores import available_cores


@pytest.fixture(autouse=True)
def _sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))


@pytest.fixture
def cgroups(tmp_path: Path) -> Path:
    folder = tmp_path / "cgroup"
    folder.mkdir()
    return folder


def own(cgroups: Path, content: str) -> Path:
    file = cgroups.parent / "own"
    file.write_text(content)
    return file


@pytest.mark.parametrize(
    ("limits", "cores"),
    [
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("50000 100000", 1),
        ("3200000 100000", 16),
        ("max 100000", 16),
        ("", 16),
        ("what 0", 16),
        ("1 0", 16),
    ],
)
def test_a_container_has_as_many_as_its_quota_pays_for(
    cgroups: Path, limits: str, cores: int
) -> None:
    (cgroups / "cpu.max").write_text(limits)

    assert available_cores(cgroups, own(cgroups, "0::/\n")) == cores


@pytest.mark.parametrize(("quota", "cores"), [("300000", 3), ("-1", 16)])
def test_version_1_says_it_in_two_files(cgroups: Path, quota: str, cores: int) -> None:
    folder = cgroups / "cpu"
    folder.mkdir()
    (folder / "cpu.cfs_quota_us").write_text(quota + "\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")

    assert available_cores(cgroups, own(cgroups, "5:memory:/\n1:cpu,cpuacct:/\n")) == cores


def test_the_smallest_quota_of_the_groups_above_binds(cgroups: Path) -> None:
    inner = cgroups / "shop.slice" / "web.service"
    inner.mkdir(parents=True)
    (inner / "cpu.max").write_text("800000 100000")
    (inner.parent / "cpu.max").write_text("400000 100000")

    assert available_cores(cgroups, own(cgroups, "0::/shop.slice/web.service\n")) == 4


def test_without_control_groups_the_machine_counts(tmp_path: Path) -> None:
    assert available_cores(tmp_path / "none", tmp_path / "nor") == 16


def test_a_process_that_is_bound_to_one_core_has_one(
    cgroups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})

    assert available_cores(cgroups, own(cgroups, "0::/\n")) == 1
