"""Escapes in the strings and bytes of expressions."""

from __future__ import annotations

import re

from nbflow.templating.exprlang.source import error_at
from nbflow.templating.golang.text import from_bytes

_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-7]{3})|x(?P<hex>[0-9a-fA-F]{2})|u\{(?P<long>[0-9a-fA-F]{1,6})\}"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<wide>[0-9a-fA-F]{8})|(?P<simple>.))",
    re.S,
)


def unescape(body: str, quote: str, source: str, at: int) -> str:
    """The string that `body`, between two `quote`, stands for. at: where it starts in `source`."""
    if "\\" not in body:
        return body
    pieces: list[str] = []
    position = 0
    for match in _ESCAPE.finditer(body):
        pieces.append(body[position : match.start()])
        pieces.append(_character(match, quote, source, at))
        position = match.end()
    return "".join(pieces) + body[position:]


def _character(match: re.Match[str], quote: str, source: str, at: int) -> str:
    where = at + match.start()
    digits = match["long"] or match["short"] or match["wide"]
    if digits:
        code = int(digits, 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise error_at(source, where, "invalid char escape")
        return chr(code)
    return from_bytes(b) if (b := _byte(match, source, where)) else _simple(match, quote, source, where)


def _byte(match: re.Match[str], source: str, where: int) -> bytes:
    digits = match["octal"] or match["hex"]
    if not digits:
        return b""
    code = int(digits, 8 if match["octal"] else 16)
    if code > 255:
        raise error_at(source, where, "invalid char escape")
    return bytes([code])


def _simple(match: re.Match[str], quote: str, source: str, where: int) -> str:
    char = match["simple"]
    if char == quote:
        return char
    if char not in _SIMPLE:
        raise error_at(source, where + 1, "invalid char escape")
    return _SIMPLE[char]


def unescape_bytes(body: str, quote: str, source: str, at: int) -> bytes:
    """The bytes that `body` stands for; \\u and \\U are not allowed in them."""
    pieces: list[bytes] = []
    position = 0
    for match in _ESCAPE.finditer(body):
        pieces.append(body[position : match.start()].encode())
        where = at + match.start()
        if match["long"] or match["short"] or match["wide"]:
            raise error_at(source, where, "unable to unescape string")
        pieces.append(_byte(match, source, where) or _simple(match, quote, source, where).encode())
        position = match.end()
    return b"".join(pieces) + body[position:].encode()
