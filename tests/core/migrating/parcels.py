"""Parcels that are weighed in kilograms, and are to be in grams."""

from collections.abc import Mapping
from typing import Any

from mongoengine import DateTimeField, Document, IntField

from ecommerce.core.data_migrations import DataMigration, Phase
from ecommerce.core.mongo import collection, utc_now


class Parcel(Document):
    """Has `kilograms`, `grams`, or for a while both."""

    id = IntField(primary_key=True)
    kilograms = IntField()
    grams = IntField()
    touched = IntField()
    version = IntField(default=1)
    updated_at = DateTimeField()
    meta: dict[str, Any] = {"collection": "test_parcels", "auto_create_index": False}


def store(count: int) -> None:
    """Parcels of 1, 2, 3 … kilograms."""
    collection(Parcel).delete_many({})
    rows = [
        {"_id": n, "kilograms": n, "version": 1, "updated_at": utc_now()}
        for n in range(1, count + 1)
    ]
    collection(Parcel).insert_many(rows)


def weigh(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Grams beside the kilograms; `touched` says how often that was done."""
    if "grams" in row:
        return None
    return {"$set": {"grams": row["kilograms"] * 1000}, "$inc": {"touched": 1}}


def forget_kilograms(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """No program reads them any more."""
    return {"$unset": {"kilograms": ""}} if "kilograms" in row else None


GRAMS = DataMigration(9001, "parcels-in-grams", Parcel, weigh, ("kilograms", "grams"))
NO_KILOGRAMS = DataMigration(
    9002, "parcels-without-kilograms", Parcel, forget_kilograms, ("kilograms",), Phase.CONTRACT
)
