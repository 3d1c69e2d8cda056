"""Mails through a real SMTP server, as production sends them."""

import asyncio
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.inbox import token_in
from tests.live.server import LiveServer, free_port, serve

DORA = {"username": "dora", "email": "dora@example.com", "password": "blue-kettle-77"}


class Mailbox:
    """What the SMTP server took in."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.delay = 0.0
        """Seconds that the server takes for a mail."""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep the mail."""
        await asyncio.sleep(self.delay)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def wait_for(self, count: int) -> EmailMessage:
        """The newest of `count` mails."""
        deadline = time.monotonic() + 15
        while len(self.mails) < count:
            assert time.monotonic() < deadline, f"{len(self.mails)} mails arrived, not {count}"
            time.sleep(0.02)
        return self.mails[-1]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp_port(mailbox: Mailbox) -> Iterator[int]:
    """A real SMTP server of this machine."""
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller.port
    controller.stop()


@pytest.fixture
def shop(tmp_path: Path, smtp_port: int) -> Iterator[LiveServer]:
    """The product, sending its mails to that server."""
    environment = {
        "STORE_PATH": str(tmp_path / "store.sqlite3"),
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}",
        "MAIL_FROM": "Shop <shop@shop.example>",
        "PUBLIC_URL": "https://shop.example",
        "REQUIRE_VERIFIED_EMAIL": "true",
    }
    with serve(environment) as server:
        yield server


def body(mail: EmailMessage) -> str:
    return str(mail.get_content())


def sign_in(shop: LiveServer, password: str) -> int:
    form = {"username": "dora", "password": password}
    return shop.send("POST", "/token", form=form).status


def test_register_confirm_forget_and_reset_by_mail(shop: LiveServer, mailbox: Mailbox) -> None:
    assert shop.send("POST", "/users/", DORA).status == 201
    assert sign_in(shop, DORA["password"]) == 400
    mail = mailbox.wait_for(1)
    assert (mail["To"], mail["From"]) == ("dora@example.com", "Shop <shop@shop.example>")
    assert mail["Subject"] == "E-commerce API: confirm your email address"
    assert mail.get_content_type() == "text/plain"
    assert "https://shop.example/verify-email#token=" in body(mail)
    answer = shop.send("POST", "/users/verify-email", {"token": token_in(body(mail))})
    assert answer.status == 204
    assert sign_in(shop, DORA["password"]) == 200

    assert shop.send("POST", "/password-reset", {"email": DORA["email"]}).status == 202
    mail = mailbox.wait_for(2)
    assert "https://shop.example/reset-password#token=" in body(mail)
    new = {"token": token_in(body(mail)), "new_password": "green-kettle-88"}
    assert shop.send("POST", "/password-reset/confirm", new).status == 204
    assert (sign_in(shop, "green-kettle-88"), sign_in(shop, DORA["password"])) == (200, 400)
    assert mailbox.wait_for(3)["Subject"] == "E-commerce API: your password was changed"


def test_what_waits_to_be_sent_is_sent_before_the_server_ends(
    tmp_path: Path, smtp_port: int, mailbox: Mailbox
) -> None:
    mailbox.delay = 0.5
    environment = {
        "STORE_PATH": str(tmp_path / "store.sqlite3"),
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}",
    }
    with serve(environment) as server:
        for number in range(8):
            person = {"username": f"dora{number}", "email": f"dora{number}@example.com"}
            assert server.send("POST", "/users/", {**DORA, **person}).status == 201
        assert len(mailbox.mails) < 8, "nobody waited for the mails"
        assert server.send("POST", "/password-reset", {"email": "dora1@example.com"}).status == 202
    assert len(mailbox.mails) == 9
    assert [mail["To"] for mail in mailbox.mails if "reset-password#" in body(mail)] == [
        "dora1@example.com"
    ]
