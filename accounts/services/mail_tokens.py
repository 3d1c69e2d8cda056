"""Writes of the one-time tokens that are sent by mail."""

from datetime import timedelta
from typing import Final, cast

from bson import ObjectId
from pymongo import ReturnDocument

from accounts.documents import MailToken, MailTokenRow, Purpose, UserRow
from accounts.errors import InvalidMailTokenError
from accounts.mail_links import digest, new_token
from accounts.names import name_key
from ecommerce.core.ids import new_id
from ecommerce.core.mongo import collection, insert, utc_now

LIFETIMES: Final = {
    Purpose.RESET_PASSWORD: timedelta(minutes=30),
    Purpose.VERIFY_EMAIL: timedelta(hours=24),
    Purpose.CHANGE_EMAIL: timedelta(hours=24),
}


class MailTokenService:
    """Makes, takes and forgets them."""

    @staticmethod
    def issue(*, user: UserRow, purpose: Purpose, email: str) -> str:
        """A new token for a mail to `email`; earlier ones stay good, for mails cross."""
        token = new_token()
        insert(
            MailToken,
            digest=digest(token),
            user_id=user["_id"],
            purpose=purpose.value,
            email=email,
            email_key=name_key(email),
            token_version=user["token_version"],
            expires_at=utc_now() + LIFETIMES[purpose],
        )
        return token

    @staticmethod
    def withdraw(token: str) -> None:
        """Take back a token that is not mailed after all."""
        collection(MailToken).delete_one({"_id": digest(token)})

    @staticmethod
    def event_of_use(row: MailTokenRow) -> ObjectId:
        """The id for the entry that tells of the token's use: of all that try, one is recorded.

        Raises:
            InvalidMailTokenError: it was used up meanwhile.
        """
        tokens, field = collection(MailToken), {"used_event": 1}
        found = tokens.find_one_and_update(
            {"_id": row["_id"], "used_event": {"$exists": False}},
            {"$set": {"used_event": new_id()}},
            projection=field,
            return_document=ReturnDocument.AFTER,
        ) or tokens.find_one({"_id": row["_id"]}, field)
        if found is None:
            raise InvalidMailTokenError
        return cast(ObjectId, found["used_event"])

    @staticmethod
    def take(row: MailTokenRow) -> None:
        """Use the token up: of any number that try at once, one succeeds.

        Take it after its effect and the record of it, which must be safe to repeat: then a fault
        loses neither.

        Raises:
            InvalidMailTokenError: another one was first.
        """
        if collection(MailToken).delete_one({"_id": row["_id"]}).deleted_count == 0:
            raise InvalidMailTokenError

    @staticmethod
    def forget_all_of(user_id: ObjectId, *purposes: Purpose) -> None:
        """Make every token of the user void, or those of some purposes; safe to repeat."""
        where = {"purpose": {"$in": [purpose.value for purpose in purposes]}} if purposes else {}
        collection(MailToken).delete_many({"user_id": user_id, **where})
