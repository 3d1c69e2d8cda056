"""Why a goal may fall short, and what was tried: said in the results where it does."""

from collections.abc import Mapping
from typing import Final

REASONS: Final[Mapping[str, str]] = {
    "GET product through nginx, warm": (
        "Most of what a hit takes is the kernel's: reading and writing a socket, which a bare "
        "gunicorn pays as well. What the server behind it takes is for products that expired. "
        "Tried and kept: lines of the log written together, files of the cache kept open, maps "
        "compiled (96 to 83 µs, together)."
    ),
    "GET product, uncached": (
        "The driver's synchronous call, and the thread that takes a request over from the one "
        "that reads sockets, are most of it. Tried: a way around Django's middleware and DRF, "
        "which halved it and is kept."
    ),
    "list of 20, uncached": (
        "The driver's decoding of 20 documents and their presenters are most of it. "
        "Tried and kept: the same way around Django, times without zones, a product written out in "
        "one literal. "
        "`list of 20, by catalog` shows that the same request takes a third less CPU where the "
        "database answers sooner. It is not what a process does in each second anyway (3 ms, "
        "measured at rest); most likely the core's caches are cold after a wait."
    ),
    "add to cart, own carts of 1 line": (
        "About 2,500 µs on a quiet core. Four commands to the database (user, cart, product, "
        "update: three beside the caller's own, which is its budget) take 270 to 350 µs each, "
        "nearly all of it in PyMongo's synchronous client; Django, DRF and the shop about 1,000 "
        "(validation 44, resolving the products 32, price, presenting and ETag 14, JSON 6; the "
        "rest is the dispatch of the two frameworks); gunicorn about 300. Our handlers count "
        "and time a command in 5 µs; that the driver makes events for them costs more. Not "
        "done: three commands, which would need a $lookup from cart to product, or a guess at "
        "the line that costs five commands when it is a new one."
    ),
    "POST /token": (
        "Beside the hash: a read of the user, an entry of the audit log, the session, and two "
        "signed tokens. "
        "The hash empties the core's caches: what surrounds it takes 3.4 ms when none is made in "
        "between, and 4.4 with it. FastAPI + Beanie, which writes nothing, took 1.05 to 1.12 x "
        "the raw hash. Left: the driver's events for our metrics, 50 µs for each of three "
        "commands, and MongoEngine's checks of the two documents, 300. Tried: one arena of "
        "malloc (MALLOC_ARENA_MAX=1), more memory kept by it (MALLOC_TOP_PAD_): a login has "
        "fewer than two page faults with each and without, and takes the same."
    ),
    "catalog reads during a storm of logins": (
        "Server, hash and login share one core here, and what asks shares the other with the "
        "database. Six of the eight clients are let in; the other two are refused at once and "
        "ask again without a pause, in a short try up to 290 times in a second at about 1.9 ms "
        "each, so that refusing takes half the core. With six clients nobody was refused there: "
        "1.8 and 2.0 x (2.3 and 3.4 with eight), and three times the logins. A client that "
        "heeds `Retry-After` is no such load. Tried: threads that hash have niceness 10 (kept: "
        "13 times before), niceness 19 and the kernel's idle class (about the same), a shorter "
        "switch interval of Python (the same); refused before the attempt is counted, which "
        "saves calls to Redis (kept; limits are off here). Not done: a pause before the 503, as "
        "it would hold one of the two threads that are left for reads; a refusal before Django, "
        "which would have to write request id, metrics and log again."
    ),
    "page 500 against page 1": (
        "Say BENCH_MONGODB_URI: the wire-protocol server that runs without one has no index to "
        "walk. `tests/catalog/test_query_plans.py` proves the plans on MongoDB."
    ),
}
