"""What the core asks of a rule that says who may call an operation; the rules are elsewhere."""

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class AccessRule(Protocol):
    """A permission of DRF that can also say in words whom it lets through."""

    @property
    def name(self) -> str:
        """Its stable name."""

    @property
    def who(self) -> str:
        """Those who may, in words."""

    @property
    def is_public(self) -> bool:
        """Whether it asks nothing of the caller."""

    @property
    def scope(self) -> str | None:
        """The scope with which an API key may, if one may."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Whether the caller may."""
