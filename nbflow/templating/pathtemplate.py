"""What kubectl takes for a JSONPath template: text, and paths in braces.

`{.a.b[0]['c'] ..d [?(@.x == "y")]}` is parsed into parts that `jsonpath_kubernetes` applies one after the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from nbflow.templating.failures import ExpressionError


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, number or truth value that takes the place of what was found."""

    value: str | int | float | bool


@dataclass(frozen=True, slots=True)
class Field:
    """`.name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`.*`."""


@dataclass(frozen=True, slots=True)
class Recursive:
    """`..`."""


@dataclass(frozen=True, slots=True)
class Word:
    """`range` or `end`; any other word is an error once it is met."""

    name: str


@dataclass(frozen=True, slots=True)
class Slice:
    """`[start:end:step]`. single: one index, `[3]`, whose end follows from its start."""

    start: int | None
    end: int | None
    step: int | None
    single: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """`[?(left operator right)]`; operator "exists" has no right side."""

    left: Parts
    operator: str
    right: Parts


@dataclass(frozen=True, slots=True)
class Union:
    """`[a,b]`."""

    members: tuple[Parts, ...]


Part: TypeAlias = Literal | Field | Wildcard | Recursive | Word | Slice | Filter | Union
Parts: TypeAlias = tuple[Part, ...]

_END_OF_NAME: Final = re.compile(r"[ \t\r\n.,\[\]$@{}]")
_NUMBER: Final = re.compile(r"[+-]?[\d.]*")
_SLICE: Final = re.compile(r"(-?\d*)(:-?\d*)?(:-?\d*)?")
_COMPARISON: Final = re.compile(r"([^!<>=]+)([!<>=~]+)(.+)", re.DOTALL)
_ESCAPE: Final = re.compile(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|)"
)
_CONTROL: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def parse_template(text: str) -> list[str | Parts]:
    """The texts and the paths of a template. Raises ExpressionError."""
    blocks: list[str | Parts] = []
    position = 0
    while position < len(text):
        opening = text.find("{", position)
        if opening < 0:
            blocks.append(text[position:])
            break
        if opening > position:
            blocks.append(text[position:opening])
        parser = _Parser(text, opening + 1)
        blocks.append(parser.path())
        position = parser.position
    return blocks


def _parse_path(text: str) -> Parts:
    return _Parser(text + "}", 0).path()


class _Parser:
    """Reads the inside of braces. position: the next character."""

    def __init__(self, text: str, position: int) -> None:
        self.text, self.position = text, position

    def path(self) -> Parts:
        """The parts up to the closing brace, which is read, too."""
        parts: list[Part] = []
        while not self._at("}"):
            char = self.text[self.position : self.position + 1]
            if char in {"", "\r", "\n"}:
                raise ExpressionError(f"unclosed action in the JSONPath {self.text!r}", fix="close it with }")
            if char in {" ", "@", "$"}:
                self.position += 1
            else:
                self._part(char, parts)
        self.position += 1
        return tuple(parts)

    def _part(self, char: str, parts: list[Part]) -> None:
        if self._at("[?("):
            parts.append(self._filter())
        elif self._at(".."):
            self._recursive(parts)
        elif char == "[":
            parts += self._bracket()
        elif char in {"'", '"'}:
            parts.append(Literal(self._quoted(char)))
        elif char == ".":
            self.position += 1
            parts.append(self._field())
        elif char in "+-" or char.isdecimal():
            parts.append(Literal(self._number()))
        elif char == "_" or char.isalpha():
            name = self._name()
            parts.append(Literal(name == "true") if name in {"true", "false"} else Word(name))
        else:
            raise ExpressionError(f"unrecognized character in action: {char!r} in the JSONPath {self.text!r}")

    def _at(self, text: str) -> bool:
        return self.text.startswith(text, self.position)

    def _recursive(self, parts: list[Part]) -> None:
        if parts and isinstance(parts[-1], Recursive):
            raise ExpressionError("invalid multiple recursive descent", fix="write .. once")
        self.position += 2
        parts.append(Recursive())
        following = self.text[self.position : self.position + 1]
        if following == "_" or following.isalnum():
            parts.append(self._field())

    def _name(self) -> str:
        found = _END_OF_NAME.search(self.text, self.position)
        start, self.position = self.position, found.start() if found else len(self.text)
        return self.text[start : self.position]

    def _field(self) -> Part:
        """A name; a backslash takes the meaning from the character behind it."""
        start = self.position
        while self.position < len(self.text) and not _END_OF_NAME.match(self.text, self.position):
            self.position += 2 if self.text[self.position] == "\\" else 1
        name = self.text[start : self.position]
        return Wildcard() if name == "*" else Field(name.replace("\\", ""))

    def _number(self) -> int | float:
        found = _NUMBER.match(self.text, self.position)
        assert found is not None
        self.position = found.end()
        try:
            return int(found.group()) if "." not in found.group() else float(found.group())
        except ValueError:
            raise ExpressionError(f"cannot parse number {found.group()}") from None

    def _quoted(self, quote: str) -> str:
        found = re.compile(rf"(?<!\\){quote}").search(self.text, self.position + 1)
        line_end = self.text.find("\n", self.position)
        if found is None or 0 <= line_end < found.start():
            raise ExpressionError(f"unterminated quoted string in the JSONPath {self.text!r}")
        inner, self.position = self.text[self.position + 1 : found.start()], found.end()
        return _ESCAPE.sub(_unescaped, inner)

    def _until(self, end: str, said: str) -> str:
        found, line_end = self.text.find(end, self.position), self.text.find("\n", self.position)
        if found < 0 or 0 <= line_end < found:
            raise ExpressionError(
                f"unterminated {said} in the JSONPath {self.text!r}", fix=f"close it with {end}"
            )
        inner, self.position = self.text[self.position : found], found + 1
        return inner

    def _bracket(self) -> list[Part]:
        self.position += 1
        inner = self._until("]", "array")
        members = inner.split(",")
        if len(members) > 1:
            return [Union(tuple(_parse_path(f"[{member.strip(' ')}]") for member in members))]
        if len(inner) > 1 and inner[0] == inner[-1] == "'" and "'" not in inner[1:-1]:
            return list(_parse_path(f".{inner[1:-1]}"))
        return [_slice(":" if inner == "*" else inner)]

    def _filter(self) -> Part:
        self.position += 3
        start, quote = self.position, ""
        while not (self._at(")") and quote in {"", "closed"}):
            char = self.text[self.position : self.position + 1]
            if char in {"", "\n"}:
                raise ExpressionError(f"unterminated filter in the JSONPath {self.text!r}")
            if char in {"'", '"'} and not quote:
                quote = char
            elif char == quote and self.text[self.position - 1] != "\\":
                quote = "closed"
            self.position += 1
        inner = self.text[start : self.position]
        self.position += 1
        if not self._at("]"):
            raise ExpressionError("unclosed array expect ]", fix="a filter is [?(...)], with one quoted text")
        self.position += 1
        comparison = _COMPARISON.fullmatch(inner)
        if comparison is None:
            return Filter(_parse_path(inner), "exists", ())
        left, operator, right = comparison.groups()
        return Filter(_parse_path(left), operator, _parse_path(right))


def _slice(text: str) -> Slice:
    found = _SLICE.fullmatch(text)
    if found is None or text == "":
        raise ExpressionError(f"invalid array index {text}", fix="write a number, start:end, * or 'key'")
    try:
        first, last, by = (int(part.lstrip(":")) if part and part != ":" else None for part in found.groups())
    except ValueError:
        raise ExpressionError(f"array index {text} is not a number") from None
    return Slice(first, last, by, single=found.group(2) is None)


def _unescaped(match: re.Match[str]) -> str:
    plain, *codes, octal = match.groups()
    if plain:
        return _CONTROL.get(plain, plain)
    code = next((int(code, 16) for code in codes if code), int(octal, 8) if octal else None)
    if code is None or code > 0x10FFFF:
        raise ExpressionError(
            "invalid escape in a quoted text of a JSONPath", fix='use \\n, \\t, \\\\ or \\"'
        )
    return chr(code)
