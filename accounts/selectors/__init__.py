"""All reads of accounts."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from bson import ObjectId

from accounts.documents import User, UserRow
from accounts.errors import UserNotFoundError
from accounts.names import name_key
from accounts.principal import Principal
from accounts.roles import Role, having, role_of
from accounts.rules import READS_USERS
from accounts.selectors.erasures import BEING_ERASED as BEING_ERASED
from accounts.selectors.erasures import PRESENT as PRESENT
from accounts.selectors.erasures import being_erased_with as being_erased_with
from accounts.selectors.erasures import is_being_erased as is_being_erased
from accounts.selectors.erasures import unfinished_erasures as unfinished_erasures
from accounts.selectors.exports import WITHHELD as WITHHELD
from accounts.selectors.exports import Section as Section
from accounts.selectors.exports import stored_account as stored_account
from accounts.selectors.exports import stored_sections as stored_sections
from accounts.selectors.mail_tokens import mail_token as mail_token
from ecommerce.core.batches import one_by_one
from ecommerce.core.ids import parse_id
from ecommerce.core.mongo import collection
from ecommerce.core.pagination import Page, PageRequest, fetch_page

_PRINCIPAL = {
    "username": 1, "role": 1, "is_staff": 1, "is_active": 1, "token_version": 1,
    "ended_sessions": 1, "kept_session": 1,
}  # fmt: skip
_WITHOUT_HASH = {"hashed_password": 0}
_BATCH = 500
"""Users of one read, where all are read."""


def principal(
    user_id: ObjectId, *, token_version: int, session_id: ObjectId | None = None
) -> Principal | None:
    """The active user, if tokens of this version and session are still in; None when they are out.

    One read says it all: a user holds which sessions have ended, so no second one is needed.
    """
    row = collection(User).find_one({"_id": user_id}, _PRINCIPAL)
    if row is None or not row["is_active"] or not _is_in(row, token_version, session_id):
        return None
    return Principal(
        row["_id"],
        row["username"],
        role_of(row),
        row["token_version"],
        session_id=session_id,
    )


def _is_in(row: Mapping[str, Any], token_version: int, session_id: ObjectId | None) -> bool:
    if any(ended["session_id"] == session_id for ended in row.get("ended_sessions") or ()):
        return False
    kept = {"session_id": session_id, "token_version": row["token_version"]}
    return bool(token_version == row["token_version"] or row.get("kept_session") == kept)


def visible_user_id(user_id: str, *, caller: Principal) -> ObjectId:
    """The id of a user the caller may see; `me` is the caller.

    Raises:
        UserNotFoundError: malformed, or somebody else's and the caller may not read all.
    """
    if user_id == "me":
        return caller.id
    wanted = parse_id(user_id, UserNotFoundError)
    if wanted != caller.id and not caller.may(READS_USERS):
        raise UserNotFoundError
    return wanted


def user(user_id: str, *, caller: Principal) -> UserRow:
    """A user the caller may see, without the hash.

    Raises:
        UserNotFoundError: none that the caller may see.
    """
    wanted = visible_user_id(user_id, caller=caller)
    row = collection(User).find_one({"_id": wanted, **PRESENT}, _WITHOUT_HASH)
    if row is None:
        raise UserNotFoundError
    return cast(UserRow, row)


def user_with_id(user_id: ObjectId) -> UserRow | None:
    """The user with this id, without the hash."""
    return cast(UserRow | None, collection(User).find_one({"_id": user_id}, _WITHOUT_HASH))


def user_found_by(guard: Mapping[str, Any]) -> UserRow | None:
    """The user whom the guard of a write finds, without the hash."""
    where = {**guard, **PRESENT}
    return cast(UserRow | None, collection(User).find_one(where, _WITHOUT_HASH))


def user_page(request: PageRequest) -> Page:
    """Users, newest first, without hashes. For staff."""
    return fetch_page(
        collection(User),
        tiers=[dict(PRESENT)],
        ordering=(("_id", -1),),
        request=request,
        projection=_WITHOUT_HASH,
    )


def every_user(*, staff_only: bool = False, inactive_only: bool = False) -> Iterator[UserRow]:
    """Users, newest first, without hashes, streamed. For operators."""
    roles = having(Role.STAFF, Role.ADMIN) if staff_only else {}
    where: dict[str, Any] = {**PRESENT, **roles}
    if inactive_only:
        where["is_active"] = False
    rows = one_by_one(collection(User), where, size=_BATCH, fields=_WITHOUT_HASH, descending=True)
    return (cast(UserRow, row) for row in rows)


def user_for_login(login: str) -> UserRow | None:
    """The user with this username or email address, hash included, for checking a password."""
    key = name_key(login)
    field = "email_key" if "@" in key else "username_key"  # no username holds an @
    return cast(UserRow | None, collection(User).find_one({field: key}))


def user_for_mail(email: str) -> UserRow | None:
    """The active user with this address, without the hash: who may be sent a mail."""
    where = {"email_key": name_key(email), "is_active": True}
    return cast(UserRow | None, collection(User).find_one(where, _WITHOUT_HASH))


def user_by_login(login: str) -> UserRow:
    """The user with this username or email address, for operators.

    Raises:
        UserNotFoundError: nobody has it.
    """
    row = user_for_login(login)
    if row is None:
        raise UserNotFoundError(f"There is no user {login!r}. `manage.py users list` shows all.")
    return row


def taken_fields(*, username_key: str, email_key: str, by_others_than: ObjectId) -> list[str]:
    """Which of the two names somebody else has."""
    rows = collection(User).find(
        {
            "$or": [{"username_key": username_key}, {"email_key": email_key}],
            "_id": {"$ne": by_others_than},
        },
        {"username_key": 1, "email_key": 1},
    )
    found = list(rows)
    fields = {"username": ("username_key", username_key), "email": ("email_key", email_key)}
    return [
        name for name, (field, key) in fields.items() if any(row[field] == key for row in found)
    ]
