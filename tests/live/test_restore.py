"""A restore beside servers that keep answers: what they kept is void."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.live.conftest import RedisServer
from tests.live.server import ROOT, serve

pytestmark = [pytest.mark.wire, pytest.mark.redis]


def test_nobody_sees_a_price_of_before_the_restore(
    wire_uri: str, redis: RedisServer, tmp_path: Path
) -> None:
    store = {"MONGODB_URI": wire_uri, "REDIS_URL": redis.url, "WEB_CONCURRENCY": "2"}

    def manage(*command: str) -> None:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "ecommerce.settings.dev", **store}
        line = [sys.executable, "manage.py", *command]
        subprocess.run(line, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)

    with serve(store) as server:
        staff = server.sign_in("staff", "staff-shop-2026")
        body = {"name": "Restored lamp", "price": 5, "quantity": 1}
        path = f"/products/{staff.send('POST', '/products/', body).json()['id']}"
        manage("backup", str(tmp_path / "shop.backup"))
        assert staff.send("PATCH", path, {"price": 6}).status == 200
        time.sleep(1.1)
        assert {server.send("GET", path).json()["price"] for _ in range(8)} == {6}
        manage("restore", str(tmp_path / "shop.backup"), "--yes")
        time.sleep(1.1)  # a process asks after a second whether anything has changed
        assert {server.send("GET", path).json()["price"] for _ in range(8)} == {5}
