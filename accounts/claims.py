"""What a verified access token says. Whether its user is still in is another question."""

from dataclasses import dataclass

from bson import ObjectId


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """The claims of ours, typed."""

    user_id: ObjectId
    session_id: ObjectId
    token_version: int
    jti: str
    expires_at: int
    """Seconds since 1970."""
