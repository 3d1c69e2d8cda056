"""Public reads answered before Django: the process's own layer of the response cache.

An answer of the catalog is kept as it went out, with its headers, until it is 300 s old, and is
used for one second without asking whether another process has changed anything. Who asks for the
same again gets it without Django's middleware and DRF: 40 microseconds instead of 400. What is not
kept is made without them too (`answer_directly`). Everything a client or an operator sees is the
same: request id, ETag and 304, rate limit, metrics, logs. A request that is special in any way (a
token, a body, an origin, another media type) goes on.
"""

from ecommerce.core.public_reads.direct import answer_directly
from ecommerce.core.public_reads.layer import PublicReads

__all__ = ["PublicReads", "answer_directly"]
