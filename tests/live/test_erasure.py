"""A worker killed (kill -9) in the middle of an erasure: another finishes it, unasked."""

import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.live.kills import dies
from tests.live.server import LiveServer

pytestmark = pytest.mark.wire
PASSWORD = "blue-kettle-77"


@pytest.mark.parametrize("step", ["erasure.marked", "erasure.recorded"])
def test_no_operator_is_needed_to_finish_an_erasure(
    step: str, breakable: LiveServer, wire_uri: str, fault_file: Path
) -> None:
    name = f"u{uuid.uuid4().hex}"
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    assert breakable.send("POST", "/users/", body).status == 201
    user = breakable.sign_in(name, PASSWORD)
    dies(fault_file, step, lambda: user.send("DELETE", "/users/me"))
    client: MongoClient[dict[str, Any]] = MongoClient(wire_uri)
    users = client.get_default_database("ecommerce")["users"]
    deadline = time.monotonic() + 30
    while users.find_one({"username": name}) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    client.close()
