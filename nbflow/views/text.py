"""Text for a terminal: what may reach it, how wide it is, and columns that line up."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, DEFAULT = 31, 32, 33, 34, 35, 36, 39

_SGR = re.compile(r"\x1b\[[0-9;]*m")
# C0 and C1 controls, the marks that turn the direction of the text around, and what is no character at all.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


class Style(NamedTuple):
    """How a view may look. color: with ANSI colours. utf8: with Argo's signs, else plain ASCII."""

    color: bool = False
    utf8: bool = True

    def paint(self, text: str, *codes: int) -> str:
        """`text` in a colour, or as it is where colours are off."""
        if not self.color or not text:
            return text
        return f"\x1b[{';'.join(str(code) for code in codes)}m{text}\x1b[0m"


def clean(text: str) -> str:
    """`text` with its control characters made visible, so that a name or message cannot steer a terminal."""
    return _UNSAFE.sub(_visible, text) if _UNSAFE.search(text) else text


def clean_log(text: str) -> str:
    """A line of a log for a terminal: colours and tabs stay, other control characters are made visible."""
    if not _UNSAFE.search(text):
        return text
    parts = re.split(f"({_SGR.pattern}|\t)", text)
    colored = any(part.startswith("\x1b[") for part in parts[1::2])
    kept = (part if index % 2 else clean(part) for index, part in enumerate(parts))
    return "".join(kept) + ("\x1b[0m" if colored else "")


def width(text: str) -> int:
    """How many cells of a terminal `text` takes; colours take none, many Asian characters two."""
    if text.isascii() and "\x1b" not in text:
        return len(text)
    return sum(_cells(character) for character in _SGR.sub("", text))


def shorten(text: str, limit: int) -> str:
    """`text` cut to `limit` cells, with "…" where something is missing. Colours end with it."""
    if width(text) <= limit:
        return text
    room, kept = limit - 1, []
    for part in re.split(f"({_SGR.pattern})", text):
        if part.startswith("\x1b"):
            kept.append(part)
            continue
        for character in part:
            room -= _cells(character)
            if room < 0:
                return "".join([*kept, "…", "\x1b[0m" if "\x1b" in text else ""])
            kept.append(character)
    return "".join(kept)


def columns(rows: Sequence[Sequence[str]], gap: int) -> list[str]:
    """One line a row, cells of a column below each other, `gap` blanks apart; no blanks at the line's end."""
    count = max((len(row) for row in rows), default=0)
    widths = [max((width(row[i]) for row in rows if i < len(row)), default=0) for i in range(count)]
    return [_line(row, widths, gap) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int], gap: int) -> str:
    cells = (cell + " " * (widths[i] - width(cell) + gap) for i, cell in enumerate(row))
    return "".join(cells).rstrip(" ")


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    return _ESCAPES.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
