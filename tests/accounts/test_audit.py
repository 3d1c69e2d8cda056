"""The audit log: what an entry holds, and that it goes after its time."""

from bson import ObjectId

from accounts.documents import AuditEvent
from accounts.services import AuditService
from ecommerce.core.mongo import collection


def test_an_entry_holds_who_did_what_to_whom() -> None:
    actor, subject = ObjectId(), ObjectId()
    AuditService.record(
        "cart_changed_for_customer",
        actor_id=actor,
        subject_id=subject,
        target="shopping-carts/1",
        address="192.0.2.7",
        details={"lines": 2},
    )
    (row,) = collection(AuditEvent).find({}, {"_id": 0, "created_at": 0})
    assert row == {
        "event": "cart_changed_for_customer",
        "actor_id": actor,
        "subject_id": subject,
        "target": "shopping-carts/1",
        "address": "192.0.2.7",
        "request_id": "-",
        "details": {"lines": 2},
    }


def test_what_is_not_known_is_not_stored() -> None:
    AuditService.record("login_failed")
    (row,) = collection(AuditEvent).find({})
    assert row.keys() == {"_id", "event", "request_id", "created_at"}
