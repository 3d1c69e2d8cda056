"""Answers of the catalog, kept as the bytes that went out. docs/adr/0006 says how and why.

A view answers with `public_answer`, naming the topics that its answer is made of. A service that
has written calls `changed` with the topics of what it wrote: every answer made of them is void at
once, in this process and for everybody who asks the shared layer. What cannot be said while Redis
is away is said when it is back; a process that ends before calls `say_the_rest`.
"""

from ecommerce.core.response_cache.answers import PublicRead, public_answer
from ecommerce.core.response_cache.topics import changed, say_the_rest

__all__ = ["PublicRead", "changed", "public_answer", "say_the_rest"]
