"""Cuts a JSONPath into its steps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from nbflow.templating.golang.values import Fault
from nbflow.templating.jsonscript import Script, compile_script


@dataclass(frozen=True, slots=True)
class Name:
    """.name or ['name']. bare: without quotes, where `length` has a meaning of its own."""

    name: str
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Star:
    """.* or [*]"""


@dataclass(frozen=True, slots=True)
class Dots:
    """..: the value and all below it."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """[...] other than a name: arguments are numbers, keys, scripts and None."""

    kind: Literal["index", "range", "union", "filter"]
    arguments: tuple[object, ...]


Part = Name | Star | Dots | Bracket


def split_path(selector: str) -> tuple[str, tuple[Part, ...]]:
    """`$` or `@`, and the steps. Raises Fault."""
    if selector[:1] not in ("$", "@") or selector[1:2] not in ("", ".", "["):
        at = 1 if selector[:1] in ("$", "@") else 0
        raise _invalid(selector, f"unexpected token '{selector[at : at + 1]}' at index {at}")
    parts: list[Part] = []
    position = 1
    while position < len(selector):
        part, position = _part(selector, position)
        parts.append(part)
    return selector[0], tuple(parts)


def _invalid(selector: str, why: str) -> Fault:
    return Fault(f"invalid JSONPath selector '{selector}' {why}")


def _part(selector: str, position: int) -> tuple[Part, int]:
    if selector.startswith("..", position):
        return Dots(), position + 2
    if selector[position] == "[" or selector.startswith(".[", position):
        start = position + (selector[position] == ".")
        end = _closing(selector, start)
        return _bracket(selector, selector[start + 1 : end].strip()), end + 1
    match = re.compile(r"\.?([^.\[]*)").match(selector, position)
    assert match is not None
    name = match[1].strip()
    if not name:
        raise _invalid(selector, "invalid token. token string is empty")
    return Star() if name == "*" else Name(name, bare=True), match.end()


def _closing(selector: str, start: int) -> int:
    """Where the bracket that opens at `start` closes, quotes and nested brackets passed over."""
    depth, quote = 0, ""
    position = start
    while position < len(selector):
        char = selector[position]
        if quote:
            if char == "\\":
                position += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in "[(":
            depth += 1
        elif char in "])":
            depth -= 1
            if depth == 0:
                return position
        position += 1
    raise _invalid(selector, f"invalid token. '{selector[start:]}' does not match any token format")


def _bracket(selector: str, inside: str) -> Part:
    if inside == "*":
        return Star()
    if inside.startswith("?"):
        if not inside.startswith("?(") or not inside.endswith(")"):
            raise _no_format(selector, inside)
        return Bracket("filter", (compile_script(inside[2:-1].strip()),))
    pieces, separators = _pieces(inside)
    if ":" in separators:
        if "," in separators or len(pieces) > 3:
            raise _no_format(selector, inside)
        bounds = [_argument(selector, inside, piece) if piece else None for piece in pieces]
        return Bracket("range", tuple([*bounds, None, None][:3]))
    arguments = tuple(_argument(selector, inside, piece) for piece in pieces)
    if separators:
        return Bracket("union", arguments)
    return Name(arguments[0]) if isinstance(arguments[0], str) else Bracket("index", arguments)


def _no_format(selector: str, inside: str) -> Fault:
    return _invalid(selector, f"invalid token. '[{inside}]' does not match any token format")


_PIECE = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[,:]|[()]|[^'",:()]+""", re.S)


def _pieces(inside: str) -> tuple[list[str], str]:
    """The arguments as text, and the commas and colons between them."""
    pieces, separators, depth = [""], "", 0
    for match in _PIECE.finditer(inside):
        lexeme = match[0]
        depth += (lexeme == "(") - (lexeme == ")")
        if lexeme in ",:" and depth == 0:
            pieces.append("")
            separators += lexeme
        else:
            pieces[-1] += lexeme
    return [piece.strip() for piece in pieces], separators


def _argument(selector: str, inside: str, piece: str) -> int | str | Script:
    if re.fullmatch(r"[+-]?\d{1,18}", piece, re.A):
        return int(piece)
    if len(piece) > 1 and piece[0] == piece[-1] and piece[0] in "'\"":
        return re.sub(r"\\(['\"])", r"\1", piece[1:-1])
    if len(piece) > 2 and piece.startswith("(") and piece.endswith(")"):
        return compile_script(piece[1:-1].strip())
    raise _no_format(selector, inside)
