"""What arrived by mail, as the person at the other end sees it."""

import re
from typing import Final

from django.core.mail import EmailMessage

from ecommerce.core.background import wait_until_idle

_TOKEN: Final = re.compile(r"#token=([\w-]+)")


def token_in(text: str) -> str:
    """The token of the link in a mail."""
    found = _TOKEN.search(text)
    assert found, f"There is no link in: {text}"
    return found[1]


class Inbox:
    """All mailboxes of a test."""

    def __init__(self, sent: list[EmailMessage]) -> None:
        self._sent = sent

    def of(self, address: str) -> list[EmailMessage]:
        """What this address got, oldest first."""
        assert wait_until_idle(10)
        return [mail for mail in self._sent if mail.to == [address]]

    @property
    def is_empty(self) -> bool:
        """Whether nobody got anything."""
        assert wait_until_idle(10)
        return not self._sent

    def token(self, address: str) -> str:
        """The token of the newest mail with a link."""
        return [token_in(str(m.body)) for m in self.of(address) if _TOKEN.search(str(m.body))][-1]

    def subjects(self, address: str) -> list[str]:
        """Of everything this address got."""
        return [str(mail.subject) for mail in self.of(address)]
