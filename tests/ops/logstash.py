"""The grammar of Logstash's pipelines, as far as ours goes. Logstash itself cannot be had here.

Source: https://www.elastic.co/guide/en/logstash/8.19/configuration-file-structure.html
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

_TOKENS: Final = re.compile(
    r"""\s+|\#[^\n]*|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<arrow>=>)"""
    r"""|(?P<field>(?:\[[^\[\]"'\s]+\])+)|(?P<pattern>/(?:[^/\\]|\\.)+/)"""
    r"""|(?P<sign>!~|=~|==|!=|[{}\[\],!()])|(?P<word>[\w.-]+)"""
)


@dataclass
class Plugin:
    """One plugin of a section with its settings."""

    name: str
    settings: dict[str, Any]


@dataclass
class Branch:
    """Plugins that run under a condition."""

    condition: list[str]
    steps: list["Plugin | Branch"] = field(default_factory=list)


class Parser:
    """Reads a pipeline, or raises ValueError where it is none."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while position < len(text):
            found = _TOKENS.match(text, position)
            if found is None:
                raise ValueError(f"No token: {text[position : position + 20]!r}")
            position = found.end()
            if found.lastgroup:
                self._tokens.append((found.lastgroup, found[0]))

    def sections(self) -> dict[str, list[Plugin | Branch]]:
        """input, filter and output."""
        found = {}
        while self._tokens:
            name = self._take("word")
            if name not in {"input", "filter", "output"}:
                raise ValueError(f"No section: {name}")
            found[name] = self._steps()
        return found

    def _take(self, kind: str, text: str = "") -> str:
        if not self._tokens:
            raise ValueError(f"It ends where {text or kind} must stand.")
        found, said = self._tokens.pop(0)
        if found != kind or text not in ("", said):
            raise ValueError(f"{said!r} stands where {text or kind} must.")
        return said

    def _next_is(self, text: str) -> bool:
        return bool(self._tokens) and self._tokens[0][1] == text

    def _steps(self) -> list[Plugin | Branch]:
        self._take("sign", "{")
        steps: list[Plugin | Branch] = []
        while not self._next_is("}"):
            name = self._take("word")
            steps.append(self._branch() if name == "if" else Plugin(name, self._hash()))
        self._take("sign", "}")
        return steps

    def _branch(self) -> Branch:
        condition = []
        while not self._next_is("{"):
            condition.append(self._tokens.pop(0)[1])
        return Branch(condition, self._steps())

    def _hash(self) -> dict[str, Any]:
        self._take("sign", "{")
        found: dict[str, Any] = {}
        while not self._next_is("}"):
            name = self._take(self._tokens[0][0])
            self._take("arrow")
            found[name.strip("\"'")] = self._value()
        self._take("sign", "}")
        return found

    def _value(self) -> Any:
        if self._next_is("{"):
            return self._hash()
        if self._next_is("["):
            return self._array()
        kind, said = self._tokens.pop(0)
        if kind not in {"text", "word"}:
            raise ValueError(f"{said!r} is no value.")
        return said.strip("\"'")

    def _array(self) -> list[Any]:
        self._take("sign", "[")
        found = []
        while not self._next_is("]"):
            found.append(self._value())
            if self._next_is(","):
                self._take("sign", ",")
        self._take("sign", "]")
        return found
