"""Ending sessions. Their access tokens are out at the next call, their refresh tokens at once.

Each call of the API reads its user once and nothing else, so the user holds what that read must
know: the sessions that ended while what they gave out is alive, an access token or, of the pages, a
cookie. The list is pruned whenever it grows, and bounded: whoever ends one more than
MAX_ENDED_SESSIONS while those still stand in it ends all of them. The list is not part of the user
as the API shows it: no `version` is raised. What ends every session raises it, for it also takes
back an address that waits to be confirmed.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from django.conf import settings

from accounts import selectors
from accounts.documents import MAX_ENDED_SESSIONS, RefreshFamily, User
from accounts.errors import AdminOnlyError, InvalidAccessTokenError, SessionNotFoundError
from accounts.principal import Principal
from accounts.rules import ENDS_SESSIONS
from accounts.services import updates
from accounts.services.audit import AuditService
from ecommerce.core.checkpoints import checkpoint
from ecommerce.core.ids import parse_id
from ecommerce.core.mongo import collection, utc_now


class SessionService:
    """Every step is one guarded update that does nothing the second time."""

    @staticmethod
    def end(*, user_id: str, session_id: str, caller: Principal, address: str = "") -> None:
        """End one session of a user the caller may see.

        Args:
            address: the caller's, for the audit log.

        Raises:
            UserNotFoundError: none that the caller may see.
            AdminOnlyError: somebody else's, and the caller is no admin.
            SameOrHigherRoleError: their role is not below the caller's.
            SessionNotFoundError: the user has no such session, or it has ended.
        """
        owner = _whose(user_id, caller)["_id"]
        family_id = parse_id(session_id, SessionNotFoundError)
        ended = end_session(
            family_id, event="session_ended", address=address, actor_id=caller.id, user_id=owner
        )
        if not ended:
            raise SessionNotFoundError

    @staticmethod
    def end_all(
        *, user_id: str, caller: Principal, except_current: bool = False, address: str = ""
    ) -> None:
        """End every session of a user the caller may see.

        Args:
            except_current: leave the session that the caller's own token, or cookie, belongs to.
            address: the caller's, for the audit log.

        Raises:
            UserNotFoundError: none that the caller may see.
            AdminOnlyError: somebody else's, and the caller is no admin.
            SameOrHigherRoleError: their role is not below the caller's.
            InvalidAccessTokenError: the caller's own session was ended meanwhile.
        """
        guard = _whose(user_id, caller)
        owner = guard["_id"]
        AuditService.record(
            "session_ended",
            actor_id=caller.id,
            subject_id=owner,
            target=f"users/{owner}/sessions",
            address=address or None,
            details={"all": True, "except_current": except_current},
        )
        if except_current and owner == caller.id and caller.session_id is not None:
            _end_others(caller, caller.session_id)
        else:
            _end_every(guard)

    @staticmethod
    def log_out(*, user_id: ObjectId, session_id: ObjectId, address: str = "") -> None:
        """End a session of the browsable pages, which nothing but its signed cookie knows.

        Args:
            address: the caller's, for the audit log.
        """
        AuditService.record(
            "session_ended",
            actor_id=user_id,
            subject_id=user_id,
            target=f"users/{user_id}/sessions/{session_id}",
            address=address or None,
        )
        _shut_out(user_id, session_id, lasting=timedelta(seconds=settings.SESSION_COOKIE_AGE))
        checkpoint("log_out.shut_out")


def _whose(user_id: str, caller: Principal) -> dict[str, Any]:
    """The guard that finds the user, where the caller may end their sessions."""
    owner = selectors.visible_user_id(user_id, caller=caller)
    guard = updates.manageable(owner, caller)
    if owner != caller.id and not caller.may(ENDS_SESSIONS):
        raise AdminOnlyError
    if owner != caller.id and collection(User).find_one(guard, {"_id": 1}) is None:
        raise updates.why_not(guard)
    return guard


def end_session(
    family_id: ObjectId, *, event: str, address: str, actor_id: ObjectId | None = None, **owner: Any
) -> bool:
    """End a session that is alive, and record why; False when there is none.

    The user learns of it first: repeated after a crash between the steps, all of them are done.
    Recorded after the change, for of several who end one session only one does.
    """
    families = collection(RefreshFamily)
    alive = {"_id": family_id, "revoked_at": None, **owner}
    family = families.find_one(alive, {"user_id": 1})
    if family is None:
        return False
    _shut_out(family["user_id"], family_id, lasting=settings.ACCESS_TOKEN_LIFETIME)
    if families.update_one(alive, _revocation(utc_now())).modified_count:
        AuditService.record(
            event,
            actor_id=actor_id,
            subject_id=family["user_id"],
            target=f"users/{family['user_id']}/sessions/{family_id}",
            address=address or None,
        )
    return True


def _shut_out(user_id: ObjectId, session_id: ObjectId, *, lasting: timedelta) -> None:
    """Have what a session has given out refused until the last of it has expired.

    The second write asks for nothing but that the session is not listed, so whatever happens to the
    list between the two, one of them matches.

    Args:
        lasting: how long an access token, or the cookie, of the session may live from now on.
    """
    users, now = collection(User), utc_now()
    users.update_one({"_id": user_id}, {"$pull": {"ended_sessions": {"until": {"$lte": now}}}})
    last, absent = f"ended_sessions.{MAX_ENDED_SESSIONS - 1}", {"$ne": session_id}
    ended = {"session_id": session_id, "until": now + lasting}
    listed = users.update_one(
        {"_id": user_id, "ended_sessions.session_id": absent, last: {"$exists": False}},
        {"$push": {"ended_sessions": ended}},
    )
    if listed.matched_count:
        return
    users.update_one(  # there was no room: all are out, which the list need not name
        {"_id": user_id, "ended_sessions.session_id": absent},
        updates.change({}, ends_sessions=True),
    )


def _end_every(guard: Mapping[str, Any]) -> None:
    before, _ = updates.exchange(guard, {}, ends_sessions=True)
    revoke_families(guard["_id"], token_version={"$lte": before["token_version"]})


def _end_others(caller: Principal, session_id: ObjectId) -> None:
    """Raise the version, and say which session stays in the same write."""
    while not _keep_only(caller, session_id):
        present = selectors.principal(
            caller.id, token_version=caller.token_version, session_id=session_id
        )
        if present is None:
            raise InvalidAccessTokenError
        caller = present
    version = caller.token_version
    revoke_families(caller.id, token_version={"$lte": version}, _id={"$ne": session_id})
    collection(RefreshFamily).update_one(
        {"_id": session_id, "token_version": {"$lte": version}},
        {"$set": {"token_version": version + 1, "updated_at": utc_now()}, "$inc": {"version": 1}},
    )


def _keep_only(caller: Principal, session_id: ObjectId) -> bool:
    kept = {"session_id": session_id, "token_version": caller.token_version + 1}
    written = collection(User).update_one(
        {
            "_id": caller.id,
            "token_version": caller.token_version,
            "ended_sessions.session_id": {"$ne": session_id},
        },
        updates.change({"kept_session": kept}, ends_sessions=True),
    )
    return written.matched_count == 1


def revoke_families(user_id: ObjectId, **which: Any) -> None:
    """Only those named, and those of before: whoever signs in meanwhile stays."""
    collection(RefreshFamily).update_many(
        {"user_id": user_id, "revoked_at": None, **which}, _revocation(utc_now())
    )


def _revocation(now: datetime) -> dict[str, Any]:
    return {"$set": {"revoked_at": now, "updated_at": now}, "$inc": {"version": 1}}
