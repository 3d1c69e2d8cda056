"""The restore drill: seeds, backs up, loses everything, restores, checks, compares.

`make restore-drill`, on a store of its own: an embedded one in a temporary folder, or the MongoDB
of MONGODB_URI, whose database must be empty before and is empty afterwards. Where MongoDB's own
tools are installed, a server's drill is done with them too, as in production: docs/backup.md.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pymongo import MongoClient
from pymongo.uri_parser import parse_uri

ROOT: Final = Path(__file__).resolve().parents[2]


class DrillError(Exception):
    """The drill has failed, and how."""


class Drill:
    """One shop that is lost and restored."""

    def __init__(self, folder: Path, mongodb: str) -> None:
        self.folder, self.mongodb = folder, mongodb
        self.store = folder / "store.sqlite3"

    def run(self) -> None:
        """All of it.

        Raises:
            DrillError: a step failed, or what came back is not what was there.
        """
        self._manage("migrate")
        self._manage("seed", "--products", "500", "--users", "30", "--carts", "20")
        self._lose_and_restore("manage.py backup and restore", self._backup, self._restore)
        if self.mongodb and shutil.which("mongodump") and shutil.which("mongorestore"):
            self._lose_and_restore("mongodump and mongorestore", self._dump, self._undump)
        self._lose()

    def _lose_and_restore(
        self, name: str, keep: Callable[[], None], bring_back: Callable[[], None]
    ) -> None:
        before = self._digests()
        keep()
        self._lose()
        began = time.monotonic()
        bring_back()
        took = time.monotonic() - began
        self._manage("migrate")
        self._manage("verify_invariants")
        after = self._digests()
        if lost := sorted(set(before) ^ set(after)):
            raise DrillError("\n".join([f"{name}: not what was there:", *lost]))
        print(f"{name}: {len(before)} collections came back, in {took:.1f} s")  # noqa: T201

    def _digests(self) -> list[str]:
        """A line for each collection: its name, how many documents, their digest."""
        return self._manage("backup", "--yes", str(self.folder / "look")).splitlines()[:-1]

    def _backup(self) -> None:
        self._manage("backup", str(self.folder / "drill.backup"))

    def _restore(self) -> None:
        self._manage("restore", str(self.folder / "drill.backup"))

    def _dump(self) -> None:
        self._tool("mongodump", f"--uri={self.mongodb}", f"--archive={self.folder / 'dump'}")

    def _undump(self) -> None:
        archive = f"--archive={self.folder / 'dump'}"
        self._tool("mongorestore", f"--uri={self.mongodb}", archive, "--drop")

    def _lose(self) -> None:
        if self.mongodb:
            with MongoClient[dict[str, object]](self.mongodb) as client:
                client.drop_database(_database(self.mongodb))
        else:
            for path in self.folder.glob("store.sqlite3*"):
                path.unlink()

    def _manage(self, *command: str) -> str:
        return self._tool(sys.executable, "manage.py", *command)

    def _tool(self, *command: str) -> str:
        environment = {
            **os.environ, "DJANGO_SETTINGS_MODULE": "ecommerce.settings.dev",
            "STORE_PATH": str(self.store), "MONGODB_URI": self.mongodb, "REDIS_URL": "",
        }  # fmt: skip
        out = subprocess.run(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        if out.returncode:
            name = " ".join(command[1:3] if command[0] == sys.executable else command[:1])
            raise DrillError(f"{name} failed:\n{out.stdout}{out.stderr}")
        return out.stdout


def _database(uri: str) -> str:
    return str(parse_uri(uri)["database"] or "ecommerce")


def _refuse_what_is_in_use(uri: str) -> None:
    with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=5000) as client:
        if client[_database(uri)].list_collection_names():
            raise DrillError(
                f"The database {_database(uri)} is not empty, and a drill loses all that is in it. "
                "Name another in MONGODB_URI."
            )


def main() -> None:
    """Exit code 1 when the drill fails."""
    mongodb = os.environ.get("MONGODB_URI", "")
    try:
        if mongodb:
            _refuse_what_is_in_use(mongodb)
        with tempfile.TemporaryDirectory(prefix="restore-drill-") as folder:
            Drill(Path(folder), mongodb).run()
    except DrillError as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main()
