"""Erasing a user: all of it in the end, wherever it was interrupted.

The intent is recorded first, in the user's own document: it is a tombstone from then on, with which
nobody signs in and which nobody sees. Each further step does nothing the second time, and the
tombstone goes last. So whoever comes next finishes it: a repeated DELETE, `manage.py erase_user`,
or somebody who wants to register the name.
"""

from collections.abc import Collection, Mapping, Sequence
from threading import Timer
from typing import Any, Final

from bson import ObjectId
from django.conf import settings

from accounts import lifecycle, selectors
from accounts.documents import RefreshFamily, User
from accounts.errors import UserNotFoundError
from accounts.services import updates
from accounts.services.api_keys import ApiKeyService
from accounts.services.audit import AuditService
from accounts.services.mail_tokens import MailTokenService
from ecommerce.core.checkpoints import checkpoint
from ecommerce.core.mongo import collection, utc_now

ERASED: Final = "user_erased"


class ErasureService:
    """Account, sessions, carts and whatever other apps hold go; the audit log loses the person."""

    @staticmethod
    def erase(
        *,
        guard: Mapping[str, Any],
        actor_id: ObjectId | None = None,
        expected_versions: Sequence[int] | None = None,
    ) -> None:
        """Erase the user whom `guard` finds, or finish doing so.

        Args:
            guard: names the `_id`, and who may be erased by whoever asks.
            actor_id: the user who asks, where it is somebody else.
            expected_versions: the versions that may be erased; None for any. An erasure that has
                begun is finished whatever they say.

        Raises:
            UserNotFoundError: there is no such user.
            SameOrHigherRoleError: there is, but the guard asks for another role.
            PreconditionFailedError: the user has another version.
        """
        if not selectors.is_being_erased(guard):
            _mark(guard, actor_id, expected_versions)
        checkpoint("erasure.marked")
        _finish(guard["_id"])

    @staticmethod
    def finish(user_ids: Collection[ObjectId]) -> int:
        """Finish erasures that were interrupted; how many. Others stay as they are."""
        for user_id in user_ids:
            _finish(user_id)
        return len(user_ids)


def _mark(
    guard: Mapping[str, Any], actor_id: ObjectId | None, versions: Sequence[int] | None
) -> None:
    """Record the intent; from here on every token of the user is worth nothing.

    Of several who ask at once one does: for the others the intent is there already.
    """
    at_version = {} if versions is None else {"version": {"$in": list(versions)}}
    intent: dict[str, Any] = {"erasing_at": utc_now(), "is_active": False}
    if actor_id is not None and actor_id != guard["_id"]:
        intent["erasing_by"] = actor_id
    try:
        updates.write({**guard, **at_version}, intent, ends_sessions=True)
    except UserNotFoundError:
        if not selectors.is_being_erased(guard):
            raise


def _finish(user_id: ObjectId) -> None:
    tombstone = {"_id": user_id, **selectors.BEING_ERASED}
    row = collection(User).find_one(tombstone, {"erasing_by": 1})
    if row is None:
        return
    lifecycle.forget_user(user_id)
    checkpoint("erasure.elsewhere")
    collection(RefreshFamily).delete_many({"user_id": user_id})
    MailTokenService.forget_all_of(user_id)
    ApiKeyService.forget_person(user_id)
    checkpoint("erasure.sessions")
    AuditService.forget_person(user_id)
    checkpoint("erasure.audit")
    AuditService.record(ERASED, actor_id=row.get("erasing_by"))
    collection(User).delete_one(tombstone)
    lifecycle.forget_user(user_id)  # what a request that was under way has made meanwhile
    if settings.ERASURE_SWEEP_SECONDS:
        sweep = Timer(settings.ERASURE_SWEEP_SECONDS, lifecycle.forget_user, [user_id])
        sweep.daemon = True
        sweep.start()
