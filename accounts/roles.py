"""Roles of users, and how they are stored."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """What a user is to the shop. Each may do what the ones before it may, and more."""

    CUSTOMER = "customer"
    STAFF = "staff"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Its place in the order, 0 the lowest."""
        return list(Role).index(self)

    @property
    def below(self) -> tuple["Role", ...]:
        """The roles that are lower."""
        return tuple(Role)[: self.rank]


def role_of(user: Mapping[str, Any]) -> Role:
    """The role of a stored user. Those stored before there were roles say only `is_staff`."""
    if "role" in user:
        return Role(user["role"])
    return Role.STAFF if user.get("is_staff") else Role.CUSTOMER


def having(*roles: Role) -> dict[str, Any]:
    """The filter for stored users with one of these roles, as `role_of` reads them."""
    branches: list[dict[str, Any]] = [{"role": {"$in": [role.value for role in roles]}}]
    if Role.STAFF in roles:
        branches.append({"role": {"$exists": False}, "is_staff": True})
    if Role.CUSTOMER in roles:
        branches.append({"role": {"$exists": False}, "is_staff": {"$ne": True}})
    return {"$or": branches}
