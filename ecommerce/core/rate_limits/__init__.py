"""Rate limits: named policies in one table, one decorator for view methods, standard headers.

`@rate_limited(POLICY)` counts a view method's calls before its work. Reads without one are counted
by the viewset under READS, and what no view counts by the middleware, which adds the headers too:
answers carry `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10); beyond a
limit they are 429 problems with `Retry-After`.
"""

from ecommerce.core.rate_limits.counting import Usage
from ecommerce.core.rate_limits.policies import (
    EXPORTS,
    IMPORTS,
    LOGIN_PER_ADDRESS,
    MAIL_TOKENS,
    MAILS_PER_MAILBOX,
    MAILS_PER_USER,
    PASSWORD_CHANGES,
    READS,
    REGISTRATION,
    RENEWALS,
    RESENDS,
    RESETS_PER_ACCOUNT,
    RESETS_PER_ADDRESS,
    REVOCATIONS,
    SEARCH,
    WRITES,
    Policy,
    check_quotas,
    policy_of_read,
)
from ecommerce.core.rate_limits.requests import (
    RateLimitedError,
    allows,
    header_items,
    is_counted,
    rate_limited,
    spend,
    spend_once,
    spend_read,
    spend_uncounted,
    unlimited,
)

__all__ = [
    "EXPORTS",
    "IMPORTS",
    "LOGIN_PER_ADDRESS",
    "MAILS_PER_MAILBOX",
    "MAILS_PER_USER",
    "MAIL_TOKENS",
    "PASSWORD_CHANGES",
    "READS",
    "REGISTRATION",
    "RENEWALS",
    "RESENDS",
    "RESETS_PER_ACCOUNT",
    "RESETS_PER_ADDRESS",
    "REVOCATIONS",
    "SEARCH",
    "WRITES",
    "Policy",
    "RateLimitedError",
    "Usage",
    "allows",
    "check_quotas",
    "header_items",
    "is_counted",
    "policy_of_read",
    "rate_limited",
    "spend",
    "spend_once",
    "spend_read",
    "spend_uncounted",
    "unlimited",
]
