"""Reads of the tokens that were sent by mail."""

from typing import cast

from accounts.documents import MailToken, MailTokenRow, Purpose
from accounts.errors import InvalidMailTokenError
from accounts.mail_links import digest
from ecommerce.core.mongo import collection, utc_now


def mail_token(token: str, *purposes: Purpose) -> MailTokenRow:
    """The stored side of a token that may still be used.

    Raises:
        InvalidMailTokenError: unknown, used, expired, or for something else.
    """
    row = collection(MailToken).find_one(
        {
            "_id": digest(token),
            "purpose": {"$in": [purpose.value for purpose in purposes]},
            "expires_at": {"$gt": utc_now()},  # the TTL index removes a minute late
        }
    )
    if row is None:
        raise InvalidMailTokenError
    return cast(MailTokenRow, row)
