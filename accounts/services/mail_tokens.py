"""Writes of the one-time tokens that are sent by mail."""

from datetime import timedelta
from typing import Final

from bson import ObjectId

from accounts.documents import MailToken, MailTokenRow, Purpose, UserRow
from accounts.mail_links import digest, new_token
from accounts.names import name_key
from ecommerce.core.mongo import collection, insert, utc_now

LIFETIMES: Final = {
    Purpose.RESET_PASSWORD: timedelta(minutes=30),
    Purpose.VERIFY_EMAIL: timedelta(hours=24),
    Purpose.CHANGE_EMAIL: timedelta(hours=24),
}


class MailTokenService:
    """Makes and forgets them. The write that one leads to is what uses it up: see the services."""

    @staticmethod
    def issue(*, user: UserRow, purpose: Purpose, email: str) -> str:
        """A new token for a mail to `email`; earlier ones stay good, for mails cross."""
        token = new_token()
        insert(
            MailToken(
                digest=digest(token),
                user_id=user["_id"],
                purpose=purpose.value,
                email=email,
                email_key=name_key(email),
                token_version=user["token_version"],
                expires_at=utc_now() + LIFETIMES[purpose],
            )
        )
        return token

    @staticmethod
    def forget_answered(row: MailTokenRow) -> None:
        """Make this token void, and all that would prove the same; safe to repeat."""
        same = {name: row[name] for name in ("user_id", "purpose", "email_key")}
        collection(MailToken).delete_many(same)

    @staticmethod
    def forget_all_of(user_id: ObjectId, *purposes: Purpose) -> None:
        """Make every token of the user void, or those of some purposes; safe to repeat."""
        where = {"purpose": {"$in": [purpose.value for purpose in purposes]}} if purposes else {}
        collection(MailToken).delete_many({"user_id": user_id, **where})
