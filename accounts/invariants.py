"""What must hold of accounts, beyond what their documents declare."""

import re
from datetime import timedelta
from functools import partial
from typing import Any, Final

from accounts.documents import ApiKey, AuditEvent, MailToken, Purpose, RefreshFamily, User
from accounts.names import name_key
from accounts.services.erasures import ErasureService
from accounts.services.mail_tokens import LIFETIMES
from ecommerce.core.invariants import Case, Checked, Delete, Reference, Row, Rule, Run, Update
from ecommerce.core.invariants.rules import Repair

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PREFIX: Final = re.compile(r"shop_[0-9a-f]{12}", re.ASCII)
_EVENT: Final = re.compile(r"[a-z][a-z_]*", re.ASCII)
_NAMES: Final = ("username", "email", "pending_email")
_CLOCKS: Final = timedelta(minutes=1)
"""How far clocks of servers may be apart."""
_SOON: Final = timedelta(minutes=1)
"""Erasures are done after this long, unless whoever did one died."""
_DETAIL_TYPES: Final = (str, int, bool)
OWNER: Final = Reference(User, lambda row: [row["user_id"]], fields=("token_version",))
"""The user that a session or a mailed token is of."""


# --- users ----------------------------------------------------------------------------------


def _keys_of(row: Row) -> dict[str, str]:
    return {f"{name}_key": name_key(row[name]) for name in _NAMES if name in row}


def _keys(case: Case) -> str | None:
    wrong = [name for name, key in _keys_of(case.row).items() if case.row.get(name) != key]
    return f"{', '.join(wrong)}: not the normalised name" if wrong else None


def _right_keys(case: Case) -> Repair:
    return Update("keys made anew of the names", _keys_of(case.row))


def _sessions(case: Case) -> str | None:
    ended = [one["session_id"] for one in case.row.get("ended_sessions", ())]
    if len(ended) != len(set(ended)):
        return "ended_sessions: one stands there twice"
    if case.row["token_version"] < 0:
        return "token_version: below 0"
    kept = case.row.get("kept_session")
    if kept and kept["token_version"] > case.row["token_version"]:
        return "kept_session: of a token version that has not come yet"
    return None


def _ended_sessions(case: Case) -> Repair | None:
    """Ending one session too many only makes somebody sign in again."""
    kept = case.row.get("kept_session")
    if kept and kept["token_version"] > case.row["token_version"] >= 0:
        return Update("the kept session ended", gone=("kept_session",))
    return None


def _erased(case: Case) -> str | None:
    begun = case.row.get("erasing_at")
    if begun is None or begun > case.now - _SOON:
        return None
    return "erasing_at: an erasure that was interrupted"


def _erase(case: Case) -> Repair:
    return Run("erased to the end", partial(ErasureService.finish, [case.row["_id"]]))


# --- sessions -------------------------------------------------------------------------------


def _owner(case: Case) -> str | None:
    user = case.one(OWNER, case.row["user_id"])
    if user is None:
        return "user_id: no such user"
    ahead = case.row["token_version"] > user.get("token_version", 0)
    return "token_version: the user's is lower" if ahead else None


def _forgotten(case: Case) -> Repair:  # noqa: ARG001
    """Nobody can use it, or nobody should."""
    return Delete("session deleted")


def _hashes(case: Case) -> str | None:
    names = [name for name in ("current_hash", "previous_hash") if name in case.row]
    wrong = [name for name in names if not _DIGEST.fullmatch(case.row[name])]
    return f"{', '.join(wrong)}: no hash of a token" if wrong else None


def _ends(case: Case) -> str | None:
    early = case.row["expires_at"] <= case.row["created_at"]
    return "expires_at: before it began" if early else None


# --- mailed tokens --------------------------------------------------------------------------


def _mail_form(case: Case) -> str | None:
    if not _DIGEST.fullmatch(case.row["_id"]):
        return "_id: no hash of a token"
    right = case.row["email_key"] == name_key(case.row["email"])
    return None if right else "email_key: not the normalised address"


def _mail_ends(case: Case) -> str | None:
    latest = case.now + LIFETIMES[Purpose(case.row["purpose"])] + _CLOCKS
    return "expires_at: later than any token is good" if case.row["expires_at"] > latest else None


def _void(case: Case) -> Repair:  # noqa: ARG001
    """Whoever waits for the mail asks for another."""
    return Delete("token deleted")


# --- API keys and the audit log -----------------------------------------------------------------


def _key_form(case: Case) -> str | None:
    if not _PREFIX.fullmatch(case.row["prefix"]):
        return "prefix: none of ours"
    return None if _DIGEST.fullmatch(case.row["secret_hash"]) else "secret_hash: no hash"


def _scopes(case: Case) -> str | None:
    scopes = case.row["scopes"]
    return None if scopes and len(scopes) == len(set(scopes)) else "scopes: none, or one twice"


def _event(case: Case) -> str | None:
    if not _EVENT.fullmatch(case.row["event"]):
        return "event: no name"
    details: dict[str, Any] = case.row.get("details", {})
    plain = all(isinstance(value, _DETAIL_TYPES) for value in details.values())
    return None if plain else "details: more than text, numbers and flags"


CHECKED: Final = (
    Checked(
        User,
        (
            Rule(
                "keys",
                "Keys of names and addresses are those, normalised.",
                _keys,
                reads=_NAMES,
                repair=_right_keys,
            ),
            Rule(
                "sessions",
                "Token versions and the lists of sessions agree.",
                _sessions,
                reads=("token_version", "kept_session"),
                repair=_ended_sessions,
            ),
            Rule("erased", "Erasures that have begun are carried out.", _erased, repair=_erase),
        ),
        may_lack=frozenset({"role"}),  # users stored before there were roles
    ),
    Checked(
        RefreshFamily,
        (
            Rule(
                "owner",
                "Sessions are of a user who exists, and not ahead of them.",
                _owner,
                reads=("user_id", "token_version"),
                refers=(OWNER,),
                repair=_forgotten,
            ),
            Rule("hashes", "Only hashes of tokens are stored.", _hashes),
            Rule(
                "ends",
                "Sessions end after they begin.",
                _ends,
                reads=("created_at", "expires_at"),
                repair=_forgotten,
            ),
        ),
    ),
    Checked(
        MailToken,
        (
            Rule(
                "owner",
                "Mailed tokens are of a user who exists, and not ahead of them.",
                _owner,
                reads=("user_id", "token_version"),
                refers=(OWNER,),
                repair=_void,
            ),
            Rule("form", "Only hashes of tokens are stored, with their address.", _mail_form),
            Rule(
                "ends",
                "Mailed tokens end when their purpose says.",
                _mail_ends,
                reads=("purpose", "expires_at"),
                repair=_void,
            ),
        ),
    ),
    Checked(
        ApiKey,
        (
            Rule("form", "Keys have a prefix of ours and a hash of their secret.", _key_form),
            Rule("scopes", "Keys may do something, and each thing once.", _scopes),
        ),
    ),
    Checked(
        AuditEvent,
        (Rule("event", "Events have a name, and details that are plain.", _event),),
    ),
)
