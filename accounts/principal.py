"""Who is calling, as views, services and selectors see it."""

from dataclasses import dataclass

from bson import ObjectId


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user, with what permissions need. DRF and its templates see it as `user`."""

    id: ObjectId
    username: str
    is_staff: bool
    token_version: int

    is_active: bool = True
    is_authenticated: bool = True
    is_anonymous: bool = False

    @property
    def pk(self) -> str:
        """The id as text."""
        return str(self.id)

    def __str__(self) -> str:
        return self.username
