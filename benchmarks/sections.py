"""Files of results: a section for each server, replaced when that server is measured again."""

import os
import platform
import re
from pathlib import Path


def put(path: Path, head: str, section: str) -> None:
    """Put a section into the file by its heading; the others stay."""
    old = path.read_text(encoding="utf-8") if path.exists() else head
    sections = {part.split("\n", 1)[0]: part for part in re.split(r"(?m)^(?=## )", old)[1:]}
    sections[section.split("\n", 1)[0]] = section
    parts = [head.rstrip(), *(sections[name].rstrip() for name in sorted(sections))]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def machine() -> str:
    """What it was measured on, and how busy that was."""
    made_of = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    return f"{made_of}; load average of the last 15 minutes {os.getloadavg()[2]:.1f}"
