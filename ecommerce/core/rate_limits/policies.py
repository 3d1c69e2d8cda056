"""Every rate limit of the product, in one table. `RATE_LIMITS` changes quotas."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `quota` requests in any `window` seconds, counted per `key`."""

    name: str
    quota: int
    window: int
    key: Literal["address", "account", "caller"]
    """`caller` is who signed in, user or API key, else the address."""
    strict: bool = False
    """Whether it is counted in this process while Redis is away; others let everybody pass then."""

    @property
    def header(self) -> str:
        """Its item in `RateLimit-Policy`."""
        return f'"{self.name}";q={self.quota};w={self.window}'


READS: Final = Policy("reads", quota=1200, window=60, key="caller")
SEARCH: Final = Policy("search", quota=300, window=60, key="caller")
WRITES: Final = Policy("writes", quota=300, window=60, key="caller")
IMPORTS: Final = Policy("imports", quota=30, window=3600, key="caller")
EXPORTS: Final = Policy("exports", quota=10, window=3600, key="caller")
LOGIN_PER_ADDRESS: Final = Policy("login-address", quota=30, window=60, key="address", strict=True)
RENEWALS: Final = Policy("renewals", quota=300, window=60, key="address", strict=True)
REVOCATIONS: Final = Policy("revocations", quota=120, window=60, key="address", strict=True)
REGISTRATION: Final = Policy("registration", quota=20, window=3600, key="address", strict=True)
PASSWORD_CHANGES: Final = Policy(
    "password-changes", quota=10, window=900, key="caller", strict=True
)
RESETS_PER_ADDRESS: Final = Policy(
    "reset-address", quota=20, window=3600, key="address", strict=True
)
RESETS_PER_ACCOUNT: Final = Policy(
    "reset-account", quota=5, window=3600, key="account", strict=True
)
MAIL_TOKENS: Final = Policy("mail-tokens", quota=30, window=3600, key="address", strict=True)
RESENDS: Final = Policy("resends", quota=5, window=3600, key="caller", strict=True)
MAILS_PER_USER: Final = Policy("mails-user", quota=20, window=3600, key="account", strict=True)
MAILS_PER_MAILBOX: Final = Policy(
    "mails-mailbox", quota=10, window=3600, key="account", strict=True
)
POLICIES: Final[Mapping[str, Policy]] = {
    policy.name: policy for policy in list(globals().values()) if isinstance(policy, Policy)
}


_SEARCHES: Final = re.compile(r"(?:^|&)(?:q|%71)=")
"""The name is decoded before a view reads it: `%71` is `q`, and there is no third way."""


def policy_of_read(query: str) -> Policy:
    """Under which policy a read without one of its own is counted: words to look for cost more.

    Args:
        query: the query string.
    """
    return SEARCH if _SEARCHES.search(query) else READS


def check_quotas() -> None:
    """Refuse RATE_LIMITS that name no policy.

    Raises:
        ImproperlyConfigured: with the names there are.
    """
    unknown = settings.RATE_LIMITS.keys() - POLICIES.keys()
    if unknown:
        raise ImproperlyConfigured(
            f"RATE_LIMITS names {', '.join(sorted(unknown))}; the limits are "
            f"{', '.join(sorted(POLICIES))}. Example: RATE_LIMITS=reads=6000,search=600"
        )


def in_force(policy: Policy) -> Policy:
    """The policy with the quota that the operator set for it, if any."""
    quota = settings.RATE_LIMITS.get(policy.name)
    return replace(policy, quota=quota) if quota else policy
