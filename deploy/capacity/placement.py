"""How carts spread over shards by a hashed `_id`, and what one hot cart costs. A simulation.

The hash is MongoDB's own: the first eight bytes of an MD5, over a seed, the canonical type of the
value and the value, as a signed integer. An empty collection starts with equal ranges of it, a
fixed number on each shard.
"""

import hashlib
import random
import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bson import ObjectId

SHARDS: Final = range(2, 9)
CHUNKS_A_SHARD: Final = 2
"""Ranges of an empty collection on each shard; newer MongoDB makes one, which is no other skew."""
_SEED: Final = struct.pack("<i", 0)
_CANONICAL: Final = {ObjectId: 35, str: 15}
_SPACE: Final = 1 << 64
HOT_SHARES: Final = (0.0, 0.01, 0.05, 0.1, 0.25)


def hashed(value: ObjectId | str) -> int:
    """Where a shard key lies, as MongoDB computes it."""
    content = value.binary if isinstance(value, ObjectId) else _as_bson(value)
    canonical = struct.pack("<i", _CANONICAL[type(value)])
    digest = hashlib.md5(_SEED + canonical + content).digest()
    return int(struct.unpack("<q", digest[:8])[0])


def _as_bson(value: str) -> bytes:
    content = value.encode() + b"\0"
    return struct.pack("<i", len(content)) + content


def shard_of(position: int, shards: int) -> int:
    """The shard whose range holds a position; ranges go to the shards in turn."""
    chunk = (position + _SPACE // 2) * shards * CHUNKS_A_SHARD // _SPACE
    return chunk % shards


@dataclass(frozen=True)
class Spread:
    """How much each shard holds or answers."""

    counts: Sequence[float]

    @property
    def skew(self) -> float:
        """The fullest shard over the mean: 1 is even."""
        return max(self.counts) / (sum(self.counts) / len(self.counts))

    @property
    def worth(self) -> float:
        """As how many shards the cluster counts, until its fullest one can do no more."""
        return len(self.counts) / self.skew


def carts(number: int, *, seed: int) -> list[ObjectId]:
    """Ids as servers make them: a time, a number of the process, and a counter."""
    chance = random.Random(seed)
    processes = [chance.randbytes(5) for _ in range(64)]
    start = 1_700_000_000
    return [
        ObjectId(
            struct.pack(">I", start + index // 200)
            + chance.choice(processes)
            + (index & 0xFFFFFF).to_bytes(3, "big")
        )
        for index in range(number)
    ]


def documents(ids: Iterable[ObjectId], shards: int) -> Spread:
    """How many carts each shard holds."""
    found = Counter(shard_of(hashed(one), shards) for one in ids)
    return Spread([found[shard] for shard in range(shards)])


def newest(ids: Sequence[ObjectId], shards: int) -> Spread:
    """Where new carts would go if ranges of the plain `_id` were placed: all to the last one."""
    edges = [ids[len(ids) * part // shards] for part in range(1, shards)]
    last = ids[-1]
    home = sum(last >= edge for edge in edges)
    return Spread([float(shard == home) for shard in range(shards)])


def with_hot_cart(even: Spread, share: float) -> Spread:
    """Where requests go when one cart alone gets a share of them, on the fullest shard."""
    total, fullest = sum(even.counts), max(even.counts)
    at = list(even.counts).index(fullest)
    rest = [count / total * (1 - share) for count in even.counts]
    return Spread([part + share * (shard == at) for shard, part in enumerate(rest)])
