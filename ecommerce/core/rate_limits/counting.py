"""How often something happened lately: in Redis for all processes, or in this one without it.

In Redis one script counts a request under all of its policies: one call, 20 microseconds, where
django-ratelimit takes two for each policy. It slides: the last window counts by the part of it that
still lies within `window` seconds. Refused requests do not count, so that waiting helps.
Without Redis, or while it is away, django-ratelimit counts in the memory of this process.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django_ratelimit.core import get_usage

from ecommerce.core.rate_limits.policies import Policy
from ecommerce.core.shared_redis import LIMITS, ask, redis

# KEYS: one for each policy. ARGV: quota and window of each. Answers, for each: how many are left,
# in how many seconds more are, and whether this one is too many.
_SCRIPT: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local answers = {}
for i, key in ipairs(KEYS) do
  local quota, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local index = math.floor(now / window)
  local into = now - index * window
  local stored = redis.call('HMGET', key, 'index', 'count', 'before')
  local at, count, before = tonumber(stored[1]), tonumber(stored[2]) or 0, tonumber(stored[3]) or 0
  if at ~= index then
    before = (at == index - 1) and count or 0
    count = 0
  end
  local used = before * (window - into) / window + count
  local refused = used + 1 > quota
  if not refused then
    count = count + 1
    redis.call('HSET', key, 'index', index, 'count', count, 'before', before)
    redis.call('EXPIRE', key, 2 * window)
    used = used + 1
  end
  local reset = window - into
  if refused and count + 1 <= quota and before > 0 then
    reset = (used + 1 - quota) * window / before
  elseif refused then
    reset = window - into + math.max(0, (1 - (quota - 1) / math.max(count, 1)) * window)
  end
  answers[i] = {math.max(0, math.floor(quota - used)), math.ceil(reset), refused and 1 or 0}
end
return answers
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of one policy is used up."""

    policy: Policy
    remaining: int
    reset: int
    """Seconds until more is allowed."""
    exceeded: bool

    @property
    def header(self) -> str:
        """Its item in `RateLimit`."""
        return f'"{self.policy.name}";r={self.remaining};t={self.reset}'


def count(policies: Sequence[Policy], subjects: Sequence[str]) -> list[Usage]:
    """Count one request under each policy, for the subject beside it."""
    shared = ask(lambda: _count_shared(policies, subjects), None, LIMITS)
    if shared is not None:
        return shared
    return [_count_here(p, subject) for p, subject in zip(policies, subjects, strict=True)]


def _count_shared(policies: Sequence[Policy], subjects: Sequence[str]) -> list[Usage]:
    keys = [_key(p, subject) for p, subject in zip(policies, subjects, strict=True)]
    bounds = [bound for policy in policies for bound in (policy.quota, policy.window)]
    answers: Any = _script()(keys=keys, args=bounds, client=redis(LIMITS))
    return [
        Usage(policy, remaining, max(reset, 1), bool(refused))
        for policy, (remaining, reset, refused) in zip(policies, answers, strict=True)
    ]


@cache
def _script() -> Any:
    """Knows its digest, which would else be made for every request."""
    return redis(LIMITS).register_script(_SCRIPT)


def _key(policy: Policy, subject: str) -> str:
    """A digest: names and addresses are of any length and nobody's business."""
    digest = hashlib.blake2b(subject.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return f"shop:limit:{policy.name}:{digest}"


def _count_here(policy: Policy, subject: str) -> Usage:
    if settings.REDIS_URL and not policy.strict:
        return Usage(policy, policy.quota, policy.window, exceeded=False)
    usage: dict[str, Any] = get_usage(
        HttpRequest(),
        group=policy.name,
        key=lambda _group, _request: _key(policy, subject),
        rate=(policy.quota, policy.window),
        increment=True,
    )
    remaining = max(policy.quota - usage["count"], 0)
    return Usage(policy, remaining, max(math.ceil(usage["time_left"]), 1), usage["should_limit"])
