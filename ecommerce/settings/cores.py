"""How many cores this process may use: those of the machine, or of its container if it has fewer.

`os.cpu_count` counts the machine's: a container with two cores on a machine of 64 would start 64
workers.
"""

import math
import os
from pathlib import Path
from typing import Final

_CGROUPS: Final = Path("/sys/fs/cgroup")
_OWN: Final = Path("/proc/self/cgroup")


def available_cores(cgroups: Path = _CGROUPS, own: Path = _OWN) -> int:
    """The cores that the kernel lets this process run on, or as much of them as its quota pays for.

    A part of a core counts as a whole one: a quota of 1.5 leaves half a core idle with one worker.

    Args:
        cgroups: where the kernel shows control groups.
        own: what says which of them the process is in.
    """
    quotas = [q for folder in _folders(cgroups, own) if (q := _quota(folder)) is not None]
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, math.ceil(min([allowed or 1, *quotas])))


def _folders(cgroups: Path, own: Path) -> list[Path]:
    """The groups that bind the process: its own and all above, of version 2 and of version 1."""
    folders = [cgroups, cgroups / "cpu"]  # what a container sees as its root
    try:
        lines = own.read_text("utf-8").splitlines()
    except OSError:  # not Linux
        return folders
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in {"", "cpu", "cpu,cpuacct", "cpuacct,cpu"}:
            continue
        root = cgroups / "cpu" if controllers else cgroups
        inner = root / path.lstrip("/")
        folders += [inner, *(above for above in inner.parents if root in above.parents)]
    return folders


def _quota(folder: Path) -> float | None:
    """Cores that the quota of one group pays for; None without one."""
    version_1 = (folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")
    try:
        if (limits := folder / "cpu.max").exists():
            quota, period = limits.read_text("ascii").split()
        else:
            quota, period = (file.read_text("ascii").strip() for file in version_1)
        cores = float(quota) / float(period)
    except (OSError, ValueError, ZeroDivisionError):  # none, or "max"
        return None
    return cores if cores > 0 else None  # -1 is none, in version 1
