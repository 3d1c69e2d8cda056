"""Requests whose worker is killed between two steps of a write, and sent again."""

import time
import uuid
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

import pytest

from tests.live.server import LiveServer, Reply

STEPS: Final = ("idempotency.claimed", "idempotency.effect", "idempotency.stored")
"""Of every POST with an Idempotency-Key."""


def until_answered(
    server: LiveServer, path: str, body: Any, key: str | None = None, **headers: Any
) -> Reply:
    """Send the request again, as a client would, until it is neither lost nor under way."""
    sent: dict[str, Any] = {**headers, **({} if key is None else {"Idempotency_Key": key})}
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            reply = server.send("POST", path, body, **sent)
        except (OSError, HTTPException):  # the worker died
            continue
        if reply.status != 409:
            return reply
        time.sleep(0.2)
    raise AssertionError(f"{path} was never answered.")


def dies(fault_file: Path, step: str, send: Callable[[], Reply]) -> None:
    """Send a request whose worker is killed at the step: nothing is answered."""
    fault_file.write_text(step, encoding="ascii")
    with pytest.raises((OSError, HTTPException)):
        send()
    assert not fault_file.exists()


def killed(
    server: LiveServer, fault_file: Path, step: str, path: str, body: Any, **headers: Any
) -> Reply:
    """The answer to a request with a key whose worker was killed at the step, after retries."""
    key = str(uuid.uuid4())
    dies(
        fault_file,
        step,
        lambda: server.send("POST", path, body, Idempotency_Key=key, **headers),
    )
    reply = until_answered(server, path, body, key, **headers)
    assert reply.headers["Idempotent-Replayed"] == "true"
    assert until_answered(server, path, body, key, **headers).body == reply.body
    return reply
