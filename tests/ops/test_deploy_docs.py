"""docs/deploy.md and docs/backup.md name services, users and files that are there."""

import re
from typing import Final

import pytest

from tests.ops.compose import everything
from tests.queries import ROOT

pytestmark = pytest.mark.ops
DEPLOY: Final = (ROOT / "docs" / "deploy.md").read_text("utf-8")


def shell_of(page: str) -> str:
    """What a page has to type, one line for each command."""
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    return "".join(blocks).replace("\\\n", " ")


@pytest.mark.parametrize(
    ("service", "folder"), [("haproxy", "TLS_FOLDER"), ("alertmanager", "ALERTMANAGER_SECRETS")]
)
def test_who_reads_a_secret_file_is_its_owner(service: str, folder: str) -> None:
    """Without capabilities not even root would read what is another's."""
    user, _, group = everything()[service]["user"].partition(":")
    assert user == group
    (mounted,) = re.findall(rf"install -o (\d+) -m (\d+) \S+ .*{folder}.*", shell_of(DEPLOY))
    assert mounted == (user, "400")
