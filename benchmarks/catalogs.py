"""The same catalog in several sizes, each in a database of its own."""

from typing import Any, Final

from bson import ObjectId
from pymongo import MongoClient

PRODUCTS: Final = 10_000
SIZES: Final = (1_000, PRODUCTS, 20_000)
_BATCH: Final = 1_000


def database_of(size: int) -> str:
    """Where our server finds a catalog of this size."""
    return "bench_ours" if size == PRODUCTS else f"bench_ours_{size}"


def fill(uri: str) -> None:
    """Make the other sizes from the one that is there: the newest of it, or more that are older."""
    client: MongoClient[dict[str, Any]] = MongoClient(uri)
    original = client[database_of(PRODUCTS)].products
    rows = list(original.find().sort("_id", -1))
    for size in SIZES:
        if size != PRODUCTS:
            client.drop_database(database_of(size))
            copy = client[database_of(size)].products
            _indexes(original, copy)
            _insert(copy, rows, size)
    client.close()


def _indexes(original: Any, copy: Any) -> None:
    for name, index in original.index_information().items():
        if name != "_id_":
            options = {k: v for k, v in index.items() if k not in {"key", "v", "ns"}}
            copy.create_index(list(index["key"]), name=name, **options)


def _insert(copy: Any, rows: list[dict[str, Any]], size: int) -> None:
    for start in range(0, size, _BATCH):
        generation, first = divmod(start, len(rows))
        batch = rows[first : first + min(_BATCH, size - start)]
        copy.insert_many([_older(row, generation) for row in batch])


def _older(row: dict[str, Any], generation: int) -> dict[str, Any]:
    """The product itself, or another one like it, older by its id."""
    if not generation:
        return row
    identity = ObjectId(bytes([generation]) + row["_id"].binary[1:])
    unique = {name: f"{row[name]}-{generation}" for name in ("sku", "slug") if row.get(name)}
    skus = [f"{sku}-{generation}" for sku in row.get("skus", [])]
    return {**row, "_id": identity, **unique, "skus": skus}
