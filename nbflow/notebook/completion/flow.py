"""Values in braces and brackets, closed or not, with the cursor in them."""

from __future__ import annotations

import re
from typing import NamedTuple

Step = str | int

_TOKEN = re.compile(
    r"""\{\{.*?\}\}                    # a tag is one piece
    | "(?:[^"\\\n]|\\.)*" | '(?:[^'\n]|'')*'
    | [{}\[\],]
    | :(?=[\s{\["',]|$)               # what ends a key
    | \s+
    | [^\s{}\[\],:"']+
    | .""",
    re.DOTALL | re.VERBOSE,
)


class FlowPlace(NamedTuple):
    """Where the cursor is, below the value: as `outline.Place`."""

    path: tuple[Step, ...]
    before: str
    key: bool
    value: bool
    written: str = ""


def flow_end(text: str) -> int:
    """Where the value that begins here is closed; -1 if it is not."""
    depth = 0
    for token in _TOKEN.finditer(text):
        if token.group() in ("{", "["):
            depth += 1
        elif token.group() in ("}", "]"):
            depth -= 1
            if depth <= 0:
                return token.end()
    return -1


def read_flow(text: str, mark: str) -> tuple[object, FlowPlace | None]:
    """The data of a value in braces or brackets, and where the mark is in it."""
    reader = _Flow(text, mark)
    return reader.run(), reader.place


class _Flow:
    def __init__(self, text: str, mark: str) -> None:
        self._tokens = [token.group() for token in _TOKEN.finditer(text)]
        self._mark = mark
        self._at = 0
        self.place: FlowPlace | None = None

    def run(self) -> object:
        return self._value(())

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _blanks(self) -> None:
        while self._next() and self._next().isspace():
            self._at += 1

    def _value(self, path: tuple[Step, ...]) -> object:
        self._blanks()
        if self._next() == "{":
            self._at += 1
            return self._mapping(path)
        if self._next() == "[":
            self._at += 1
            return self._list(path)
        text = self._scalar("")
        if self._mark in text:
            before = text.partition(self._mark)[0].lstrip().lstrip("\"'")
            self.place = FlowPlace(path, before, key=False, value=True)
        return _plain(text.replace(self._mark, ""))

    def _mapping(self, path: tuple[Step, ...]) -> dict[str, object]:
        data: dict[str, object] = {}
        while self._next() not in ("", "}"):
            if self._next() == ",":
                self._at += 1
                continue
            if self._next() == "]":
                return data
            self._blanks()
            key = self._scalar(":")
            name = _plain(key.replace(self._mark, "")) or ""
            if self._mark in key:
                before = key.partition(self._mark)[0].lstrip().lstrip("\"'")
                self.place = FlowPlace(path, before, key=True, value=False, written=name)
            if self._next() == ":":
                self._at += 1
                data[name] = self._value((*path, name))
            elif name:
                data.setdefault(name, None)
            elif self._next() in ("{", "["):
                self._at += 1  # makes no sense here
        self._at += 1
        return data

    def _list(self, path: tuple[Step, ...]) -> list[object]:
        data: list[object] = []
        while self._next() not in ("", "]"):
            if self._next() in (",", "}", ":"):
                self._at += 1
                continue
            self._blanks()
            if self._next() in ("", "]", ","):
                continue
            data.append(self._value((*path, len(data))))
        self._at += 1
        return data

    def _scalar(self, stop: str) -> str:
        """The text up to a comma, the end of what it is in, or a colon where that ends a key."""
        parts = []
        while self._next() and self._next() not in (",", "}", "]", "{", "["):
            if stop and self._next() == stop:
                break
            parts.append(self._next())
            self._at += 1
        return "".join(parts)


def _plain(text: str) -> str | None:
    text = text.strip()
    if text[:1] in ("'", '"'):
        return text.strip(text[0])
    return text or None
