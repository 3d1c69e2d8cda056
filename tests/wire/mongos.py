"""A scripted mongos: answers the few commands that sharding needs, over MongoDB's wire protocol.

No sharded cluster can be started here. So this one keeps a list of collections and indexes and
replies as MongoDB's manual describes (hello, ping, buildInfo, find, createIndexes, enableSharding,
shardCollection); whatever else it is asked, it refuses as MongoDB refuses an unknown command.
"""

import socketserver
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, Final

import bson

_OP_MSG: Final = 2013
_OP_QUERY: Final = 2004
_OP_REPLY: Final = 1
_HEADER: Final = struct.Struct("<iiii")
_LIMITS: Final = {
    "maxBsonObjectSize": 16_777_216, "maxMessageSizeBytes": 48_000_000,
    "maxWriteBatchSize": 100_000, "logicalSessionTimeoutMinutes": 30, "connectionId": 1,
    "minWireVersion": 0, "maxWireVersion": 21, "readOnly": False,
}  # fmt: skip
Reply = dict[str, Any]


class RefusedError(Exception):
    """A reply with `ok: 0`."""

    def __init__(self, code: int, name: str, message: str) -> None:
        self.reply = {"ok": 0.0, "errmsg": message, "code": code, "codeName": name}
        super().__init__(message)


@dataclass
class Cluster:
    """What the cluster knows, and every command that changed it."""

    hello: Reply = field(default_factory=lambda: {"msg": "isdbgrid"})
    version: tuple[int, int, int] = (7, 0, 14)
    keys: dict[str, Reply] = field(default_factory=dict)
    """By namespace: its row in config.collections, without the `_id`."""
    forbidden: frozenset[str] = frozenset()
    slow: dict[str, float] = field(default_factory=dict)
    """Seconds that the next command of a name takes."""
    indexed: set[tuple[str, tuple[tuple[str, Any], ...]]] = field(default_factory=set)
    changes: list[Reply] = field(default_factory=list)

    def answer(self, command: Reply) -> Reply:
        """The reply to one command."""
        try:
            name = next(iter(command))
            time.sleep(self.slow.pop(name, 0))
            return {**self._work_of(name)(command), "ok": 1.0}
        except RefusedError as refusal:
            return refusal.reply

    def _work_of(self, name: str) -> Callable[[Reply], Reply]:
        known: dict[str, Callable[[Reply], Reply]] = {
            "hello": self._hello, "isMaster": self._hello, "ismaster": self._hello,
            "buildInfo": self._build_info, "buildinfo": self._build_info, "find": self._find,
            "createIndexes": self._create_indexes, "enableSharding": self._enable_sharding,
            "shardCollection": self._shard_collection, "ping": lambda _: {},
            "endSessions": lambda _: {},
        }  # fmt: skip
        if name in self.forbidden:
            text = f"not authorized on admin to execute command {{ {name}: 1 }}"
            raise RefusedError(13, "Unauthorized", text)
        if name not in known:
            raise RefusedError(59, "CommandNotFound", f"no such command: '{name}'")
        return known[name]

    def _hello(self, command: Reply) -> Reply:
        return {"isWritablePrimary": True, "ismaster": True, **self.hello, **_LIMITS}

    def _build_info(self, command: Reply) -> Reply:
        return {
            "version": ".".join(map(str, self.version)), "versionArray": [*self.version, 0],
        }  # fmt: skip

    def _find(self, command: Reply) -> Reply:
        if (command["$db"], command["find"]) != ("config", "collections"):
            return _rows(f"{command['$db']}.{command['find']}", [])
        namespace = command["filter"]["_id"]
        rows = [{"_id": namespace, **self.keys[namespace]}] if namespace in self.keys else []
        return _rows("config.collections", rows)

    def _create_indexes(self, command: Reply) -> Reply:
        namespace = f"{command['$db']}.{command['createIndexes']}"
        for index in command["indexes"]:
            self.indexed.add((namespace, tuple(index["key"].items())))
        self._note(command, "createIndexes", "indexes")
        return {"numIndexesBefore": 1, "numIndexesAfter": 2, "createdCollectionAutomatically": True}

    def _enable_sharding(self, command: Reply) -> Reply:
        self._note(command, "enableSharding")
        return {}

    def _shard_collection(self, command: Reply) -> Reply:
        namespace, key = command["shardCollection"], command["key"]
        if namespace in self.keys and self.keys[namespace]["key"] != key:
            text = f"sharding already enabled for collection {namespace}"
            raise RefusedError(23, "AlreadyInitialized", text)
        if (namespace, tuple(key.items())) not in self.indexed:
            text = "Please create an index that starts with the proposed shard key before sharding"
            raise RefusedError(72, "InvalidOptions", text)
        self.keys[namespace] = {"key": key, "unique": False, "noBalance": False}
        self._note(command, "shardCollection", "key")
        return {"collectionsharded": namespace}

    def _note(self, command: Reply, *names: str) -> None:
        self.changes.append({name: command[name] for name in names})


def _rows(namespace: str, rows: list[Reply]) -> Reply:
    return {"cursor": {"firstBatch": rows, "id": 0, "ns": namespace}}


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while head := self.rfile.read(_HEADER.size):
            length, request, _, opcode = _HEADER.unpack(head)
            body = self.rfile.read(length - _HEADER.size)
            reply = bson.encode(self.server.cluster.answer(_command(opcode, body)))  # type: ignore[attr-defined]
            self.wfile.write(_framed(opcode, request, reply))


def _command(opcode: int, body: bytes) -> Reply:
    if opcode == _OP_QUERY:  # how a driver says hello first: flags, name, skip, limit, document
        start = body.index(b"\0", 4) + 9
        return bson.decode(body[start : start + _length_at(body, start)])
    assert opcode == _OP_MSG
    command, position = {}, 4
    while position < len(body):  # sections: 0 is the command, 1 a list of documents beside it
        kind, position = body[position], position + 1
        end = position + _length_at(body, position)
        if kind == 0:
            command.update(bson.decode(body[position:end]))
        else:
            name_end = body.index(b"\0", position + 4)
            rows = bson.decode_all(body[name_end + 1 : end])
            command[body[position + 4 : name_end].decode()] = rows
        position = end
    return command


def _length_at(body: bytes, position: int) -> int:
    length: int = struct.unpack_from("<i", body, position)[0]
    return length


def _framed(opcode: int, request: int, reply: bytes) -> bytes:
    if opcode == _OP_QUERY:
        content, answered = struct.pack("<iqii", 8, 0, 0, 1) + reply, _OP_REPLY
    else:
        content, answered = b"\0\0\0\0\0" + reply, _OP_MSG
    return _HEADER.pack(_HEADER.size + len(content), 0, request, answered) + content


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        super().__init__(("127.0.0.1", 0), _Connection)


@contextmanager
def mongos(**state: Any) -> Iterator[tuple[Cluster, str]]:
    """A cluster in a given state (see `Cluster`), and the address that leads to it."""
    cluster = Cluster(**state)
    with _Server(cluster) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield cluster, f"mongodb://127.0.0.1:{server.server_address[1]}/shop"
        finally:
            server.shutdown()


def sharded_by(**keys: Mapping[str, Any]) -> dict[str, Reply]:
    """Rows of config.collections in the database `shop`, by collection."""
    return {f"shop.{name}": {"key": dict(key), "unique": False} for name, key in keys.items()}
