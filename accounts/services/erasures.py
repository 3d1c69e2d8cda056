"""Erasing a user: all of it in the end, wherever it was interrupted.

The intent is recorded first, in the user's own document: it is a tombstone from then on, with which
nobody signs in and which nobody sees. Each further step does nothing the second time, and the
tombstone goes last: when no request that was under way at the beginning can make anything new. So
whoever comes next finishes it: a server process, which looks for it at its start and now and then,
a repeated DELETE, `manage.py erase_user`, or somebody who wants to register the name.
"""

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from threading import Event
from typing import Any, Final

from bson import ObjectId
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from pymongo.errors import PyMongoError

from accounts import lifecycle, selectors
from accounts.documents import RefreshFamily, User
from accounts.errors import UserNotFoundError
from accounts.services import updates
from accounts.services.api_keys import ApiKeyService
from accounts.services.audit import AuditService
from accounts.services.mail_tokens import MailTokenService
from ecommerce.core.checkpoints import checkpoint
from ecommerce.core.ids import new_id
from ecommerce.core.mongo import collection, utc_now
from ecommerce.core.periodic import Periodic

logger = logging.getLogger(__name__)

ERASED: Final = "user_erased"
LOOK_SECONDS: Final = 10.0
"""How often a server looks for erasures whose tombstone is to go."""


class ErasureService:
    """Account, sessions, carts and whatever other apps hold go; the audit log loses the person."""

    @staticmethod
    def erase(
        *,
        guard: Mapping[str, Any],
        actor_id: ObjectId | None = None,
        expected_versions: Sequence[int] | None = None,
        waits: bool = False,
    ) -> None:
        """Erase the user whom `guard` finds, or finish doing so.

        What requests under way make meanwhile goes with the tombstone, when a server looks for it
        after ERASURE_SWEEP_SECONDS.

        Args:
            guard: names the `_id`, and who may be erased by whoever asks.
            actor_id: the user who asks, where it is somebody else.
            expected_versions: the versions that may be erased; None for any. An erasure that has
                begun is finished whatever they say.
            waits: whether to come back only when that is done too.

        Raises:
            UserNotFoundError: there is no such user.
            SameOrHigherRoleError: there is, but the guard asks for another role.
            PreconditionFailedError: the user has another version.
        """
        if not selectors.is_being_erased(guard):
            _mark(guard, actor_id, expected_versions)
        checkpoint("erasure.marked")
        user_id = guard["_id"]
        if not _clear(user_id):
            return
        if waits or not settings.ERASURE_SWEEP_SECONDS:
            time.sleep(settings.ERASURE_SWEEP_SECONDS)
            _sweep(user_id)

    @staticmethod
    def finish(user_ids: Collection[ObjectId]) -> int:
        """Finish erasures that were interrupted, at once; how many. Others stay as they are."""
        for user_id in user_ids:
            _finish(user_id)
        return len(user_ids)


def _mark(
    guard: Mapping[str, Any], actor_id: ObjectId | None, versions: Sequence[int] | None
) -> None:
    """Record the intent; from here on every token of the user is worth nothing.

    What nobody asks of a tombstone goes at once; by the names a repeated erasure is found. Of
    several who ask at once one does it: for the others the intent is there already.
    """
    at_version = {} if versions is None else {"version": {"$in": list(versions)}}
    intent: dict[str, Any] = {
        "erasing_at": utc_now(),
        "erasing_event": new_id(),
        "is_active": False,
        "hashed_password": UNUSABLE_PASSWORD_PREFIX,
    }
    if actor_id is not None and actor_id != guard["_id"]:
        intent["erasing_by"] = actor_id
    try:
        updates.write(
            {**guard, **at_version}, intent, removes=("verified_email_key",), ends_sessions=True
        )
    except UserNotFoundError:
        if not selectors.is_being_erased(guard):
            raise


def _finish(user_id: ObjectId) -> None:
    if _clear(user_id):
        _sweep(user_id)


def _clear(user_id: ObjectId) -> bool:
    """All of it but the tombstone; False where there is none, for somebody else was faster."""
    tombstone = {"_id": user_id, **selectors.BEING_ERASED}
    row = collection(User).find_one(tombstone, {"erasing_by": 1, "erasing_event": 1})
    if row is None:
        return False
    _forget(user_id)
    AuditService.record(ERASED, actor_id=row.get("erasing_by"), entry_id=row.get("erasing_event"))
    checkpoint("erasure.recorded")
    return True


def _forget(user_id: ObjectId) -> None:
    """What is stored about the user outside of their own document; safe to repeat."""
    lifecycle.forget_user(user_id)
    checkpoint("erasure.elsewhere")
    collection(RefreshFamily).delete_many({"user_id": user_id})
    MailTokenService.forget_all_of(user_id)
    ApiKeyService.forget_person(user_id)
    checkpoint("erasure.sessions")
    AuditService.forget_person(user_id)
    checkpoint("erasure.audit")


def _sweep(user_id: ObjectId) -> None:
    """Take away what requests that were under way have made meanwhile, and then the tombstone.

    Once more after that: what is asked for a user who is not there makes nothing new.
    """
    _forget(user_id)
    collection(User).delete_one({"_id": user_id, **selectors.BEING_ERASED})
    _forget(user_id)


def take_up(stopping: Event) -> None:
    """Finish every erasure that is due, until told to stop: several processes may, at once."""
    for user_id in selectors.unfinished_erasures():
        if stopping.is_set():
            return
        try:
            _finish(user_id)
        except PyMongoError:
            raise
        except Exception:  # one that cannot be finished is in the way of no other
            logger.exception("An erasure is not finished")


server_thread: Final = Periodic("erasures", take_up, seconds=LOOK_SECONDS)
