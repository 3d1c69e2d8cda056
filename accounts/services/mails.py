"""Mails of accounts: plain text from `templates/accounts/mail/`, sent after the answer."""

import logging
from collections.abc import Mapping
from smtplib import SMTPException, SMTPResponseException
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from accounts import selectors
from accounts.documents import Purpose, UserRow
from accounts.mail_links import link
from accounts.names import name_key
from accounts.services.mail_tokens import LIFETIMES, MailTokenService
from ecommerce.core.background import run_later
from ecommerce.core.rate_limits import MAILS_PER_MAILBOX, MAILS_PER_USER, allows

logger = logging.getLogger(__name__)

_MINUTE: Final = 60


class MailService:
    """Nobody who calls learns whether a mail went out: a fault is in the log, without its text."""

    @staticmethod
    def send_token(*, user: UserRow, purpose: Purpose, email: str) -> None:
        """Send a link that proves who reads the mail at `email`, within the limits of mails.

        None goes to a user who is gone by then, or whose every session has ended since.
        """
        run_later(f"mail {purpose}", lambda: _send_token(user, purpose, email))

    @staticmethod
    def send_notice(*, user: UserRow, notice: str, email: str, **facts: str) -> None:
        """Tell somebody what happened to their account; `notice` names the template."""
        run_later(f"mail {notice}", lambda: _send(notice, email, {"user": user, **facts}))


def _send_token(user: UserRow, purpose: Purpose, email: str) -> None:
    if not _may_send(user, email):
        logger.warning("Mail %s is not sent: too many to this mailbox or user", purpose)
        return
    token = MailTokenService.issue(user=user, purpose=purpose, email=email)
    if not _is_as_before(user):
        MailTokenService.withdraw(token)
        logger.info("Mail %s is not sent: every session of the user has ended since", purpose)
        return
    page = settings.PASSWORD_RESET_URL
    if purpose is not Purpose.RESET_PASSWORD:
        page = settings.EMAIL_VERIFICATION_URL
    minutes = int(LIFETIMES[purpose].total_seconds()) // _MINUTE
    _send(purpose, email, {"user": user, "link": link(page, token), "minutes": minutes})


def _is_as_before(user: UserRow) -> bool:
    """Whether the user who was to get a link may still have it: a mail may wait for long.

    Ask after its token is stored: whoever is erased later has it swept away with the rest.
    """
    guard = {"_id": user["_id"], "token_version": user["token_version"]}
    return selectors.user_found_by(guard) is not None


def _may_send(user: UserRow, email: str) -> bool:
    """The shop shall not be what fills somebody's mailbox."""
    return allows(MAILS_PER_USER, str(user["_id"])) and allows(MAILS_PER_MAILBOX, name_key(email))


def _send(template: str, email: str, facts: Mapping[str, Any]) -> None:
    text = render_to_string(
        f"accounts/mail/{template}.txt", {"shop": settings.APP_NAME, "email": email, **facts}
    )
    subject, _, body = text.partition("\n")
    mail = EmailMessage(subject=subject, body=body.lstrip("\n"), to=[email])
    mail.extra_headers["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers it
    try:
        mail.send()
    except (SMTPException, OSError) as fault:
        logger.error("Mail %s was not sent: %s", template, _without_text(fault))  # noqa: TRY400


def _without_text(fault: Exception) -> str:
    """What went wrong, without addresses and without what a server repeats of the mail."""
    code = fault.smtp_code if isinstance(fault, SMTPResponseException) else ""
    return f"{type(fault).__name__} {code or getattr(fault, 'strerror', None) or ''}".strip()
