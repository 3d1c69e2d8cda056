"""Reads log files as docker/filebeat/filebeat.yml tells Filebeat to, which cannot be had here.

It does what the parsers and processors of that file ask for and refuses those that it does not
know, so that the file cannot say one thing and the test do another.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from glob import glob
from pathlib import Path
from typing import Any

import yaml

Event = dict[str, Any]


class Filebeat:
    """One pass over the files of a configuration."""

    def __init__(self, config: Path, variables: Mapping[str, str]) -> None:
        text = re.sub(
            r"\$\{(\w+):([^}]*)\}", lambda m: variables.get(m[1], m[2]), config.read_text("utf-8")
        )
        self.config: dict[str, Any] = yaml.safe_load(text)
        self._seen: dict[str, int] = {}

    def events(self) -> Iterator[Event]:
        """What has come since the last time."""
        for source in self.config["filebeat.inputs"]:
            assert source["type"] == "filestream"
            for path in _files(source["paths"]):
                for event in _parsed(self._new_lines(path), source["parsers"]):
                    yield from self._processed(event)

    def _new_lines(self, path: str) -> list[str]:
        text = Path(path).read_text("utf-8")
        complete = text[: text.rfind("\n") + 1]
        begin, self._seen[path] = self._seen.get(path, 0), len(complete)
        return complete[begin:].splitlines()

    def _processed(self, event: Event) -> Iterator[Event]:
        for processor in self.config["processors"]:
            ((name, how),) = processor.items()
            if name == "drop_event" and _holds(how["when"], event):
                return
            if name == "drop_fields":
                for field in how["fields"]:
                    _remove(event, field)
            assert name in {"drop_event", "drop_fields"}, f"Filebeat knows it, we do not: {name}"
        yield event


def _files(patterns: Iterable[str]) -> Iterator[str]:
    for pattern in patterns:
        yield from sorted(glob(pattern))  # noqa: PTH207 - the pattern is absolute


def _parsed(lines: Iterable[str], parsers: list[dict[str, Any]]) -> Iterator[Event]:
    (container,), (ndjson,) = (parser.values() for parser in parsers)
    assert [*parsers[0], *parsers[1]] == ["container", "ndjson"]
    assert container == {"stream": "all", "format": "auto"}
    for message, stream in _messages(lines):
        yield _expanded({"stream": stream}, message, ndjson)


def _messages(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The messages of Docker's json-file driver, which cuts long ones into pieces of 16 KiB."""
    waiting: dict[str, str] = {}
    for entry in map(json.loads, lines):
        text = waiting.pop(entry["stream"], "") + entry["log"]
        if text.endswith("\n"):
            yield text[:-1], entry["stream"]
        else:
            waiting[entry["stream"]] = text


def _expanded(event: Event, message: str, options: Mapping[str, Any]) -> Event:
    assert options == {
        "target": "", "overwrite_keys": True, "expand_keys": True, "ignore_decoding_error": True,
    }  # fmt: skip
    try:
        keys = json.loads(message)
    except ValueError:
        return {**event, "message": message}
    if isinstance(keys, dict):
        _merge(event, keys)
    return event


def _merge(into: Event, keys: Mapping[str, Any]) -> None:
    for dotted, value in keys.items():
        place = into
        *groups, last = dotted.split(".")
        for group in groups:
            place = place.setdefault(group, {})
        if isinstance(value, dict):
            _merge(place.setdefault(last, {}), value)
        else:
            place[last] = value


def _holds(condition: Mapping[str, Any], event: Event) -> bool:
    ((name, what),) = condition.items()
    if name == "not":
        return not _holds(what, event)
    if name == "or":
        return any(_holds(one, event) for one in what)
    if name == "and":
        return all(_holds(one, event) for one in what)
    if name == "regexp":
        texts = ((pattern, value_at(event, field)) for field, pattern in what.items())
        return all(isinstance(text, str) and re.search(pattern, text) for pattern, text in texts)
    assert name == "has_fields", name
    return all(value_at(event, field) is not None for field in what)


def value_at(event: Event, field: str) -> Any:
    """What stands under a dotted name; None where nothing does."""
    place: Any = event
    for group in field.split("."):
        place = place.get(group) if isinstance(place, dict) else None
    return place


def _remove(event: Event, field: str) -> None:
    *groups, last = field.split(".")
    place: Any = event
    for group in groups:
        place = place.get(group, {})
    place.pop(last, None)
