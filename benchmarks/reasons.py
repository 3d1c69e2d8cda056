"""Why a goal may fall short, and what was tried: said in the results where it does."""

from collections.abc import Mapping
from typing import Final

REASONS: Final[Mapping[str, str]] = {
    "GET product through nginx, warm": (
        "Most of what a hit takes is the kernel's: reading and writing a socket, which a bare "
        "gunicorn pays as well. What the server behind it takes is for products that expired."
    ),
    "GET product, uncached": (
        "The driver's synchronous call, and the thread that takes a request over from the one "
        "that reads sockets, are most of it. Tried: a way around Django's middleware and DRF, "
        "which halved it and is kept. "
        "`GET product, by catalog` shows that the same request takes less CPU where the database "
        "answers sooner: fewer requests share what a process does in each second anyway."
    ),
    "list of 20, uncached": (
        "The driver's decoding of 20 documents and their presenters are most of it. "
        "Tried and kept: the same way around Django, times without zones, a product written out in "
        "one literal. "
        "`list of 20, by catalog` shows that the same request takes less CPU where the database "
        "answers sooner: fewer requests share what a process does in each second anyway."
    ),
    "add to cart, own carts of 1 line": (
        "Four commands to the database, each through the driver's synchronous client, and the "
        "dispatch of Django and DRF around them. Tokens are verified once and then remembered, "
        "serializers are used again, and an answer is made from what the update gave back. Left: "
        "counting and timing each command takes 30 microseconds of it, each middleware 5 to 20."
    ),
    "POST /token": (
        "Beside the hash: a read of the user, an entry of the audit log, the session, two signed "
        "tokens, and what a process does in each second anyway, shared by few logins."
    ),
    "catalog reads during a storm of logins": (
        "Server, hash and log-in share one core here, and what asks shares the other with the "
        "database. Tried: threads that hash have niceness 10 (kept: 13 times before), niceness 19 "
        "and the kernel's idle class (about the same), a shorter switch interval of Python (the "
        "same)."
    ),
    "page 500 against page 1": (
        "Say BENCH_MONGODB_URI: the wire-protocol server that runs without one has no index to "
        "walk. `tests/catalog/test_query_plans.py` proves the plans on MongoDB."
    ),
}
