"""Regular expressions in Go's syntax, with Go's promise: the time grows with the text, not beyond.

A pattern that Python's engine runs fast on a text of that length is left to it; any other runs on
a machine of our own that reads the text once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from nbflow.templating.golang.machine import Program, Steps, build, execute, occurs
from nbflow.templating.golang.regexsyntax import effort, parse_pattern, python_pattern
from nbflow.templating.golang.values import Fault, NilList

Spans = tuple[int, ...]
"""Start and end of the match and of each group, -1 for a group that took no part."""

_MAX_STEPS: Final = 5_000_000
"""Of Python's engine on one text."""
_MAX_OWN_STEPS: Final = 1_000_000
"""Of our machine on one text, for all matches in it."""
_MAX_LOOPS: Final = 20
_MAX_TEXT: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pattern:
    """names: of the groups, "" for one without. fast: Python's form, None if it has none; loops and ways: see
    `Effort`.
    """

    program: Program
    names: tuple[str, ...]
    fast: re.Pattern[str] | None
    loops: int
    ways: int

    def is_fast(self, text: str) -> bool:
        """Whether Python's engine can be trusted with the text."""
        return self.fast is not None and self.ways * (len(text) + 1) ** (self.loops + 1) <= _MAX_STEPS

    def occurs(self, text: str) -> bool:
        """Whether there is a match."""
        if self.fast is not None and self.is_fast(text):
            return self.fast.search(text) is not None
        return occurs(self.program, text, Steps(_MAX_OWN_STEPS))

    def match(self, text: str, start: int = 0, steps: Steps | None = None) -> Spans | None:
        """The leftmost match from `start` on."""
        if self.fast is not None and self.is_fast(text):
            found = self.fast.search(text, start)
            return None if found is None else tuple(p for i in range(len(self.names)) for p in found.span(i))
        return execute(self.program, text, start, steps or Steps(_MAX_OWN_STEPS))

    def matches(self, text: str) -> Iterator[Spans]:
        """All matches that do not overlap; an empty one does not follow another directly."""
        position, last_end, steps = 0, -1, Steps(_MAX_OWN_STEPS)
        while position <= len(text):
            spans = self.match(text, position, steps)
            if spans is None:
                return
            start, end = spans[:2]
            if end > start or start != last_end:
                yield spans
            last_end = end
            position = end if end > start else end + 1


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Pattern:
    """Raises Fault if `pattern` is no regular expression."""
    try:
        node, names = parse_pattern(pattern)
        program = build(node)
        needed = effort(node)
        form = None if needed.nested or needed.loops > _MAX_LOOPS else python_pattern(node)
    except RecursionError:
        raise Fault(f"error parsing regexp: expression nests too deeply: `{pattern}`") from None
    fast = None if form is None else re.compile(form)
    return Pattern(program, names, fast, needed.loops, needed.ways)


def search(pattern: str, text: str) -> bool:
    """Whether `pattern` is found anywhere in `text`."""
    return compile_pattern(pattern).occurs(text)


def find(pattern: str, text: str) -> str:
    """The first match, "" if there is none."""
    spans = compile_pattern(pattern).match(text)
    return text[spans[0] : spans[1]] if spans else ""


def find_all(pattern: str, text: str, count: int) -> list[object]:
    """The first `count` matches, all if it is negative."""
    found: list[object] = [text[start:end] for start, end, *_ in _some(compile_pattern(pattern), text, count)]
    return found or NilList()


def _some(pattern: Pattern, text: str, count: int) -> Iterator[Spans]:
    for number, spans in enumerate(pattern.matches(text)):
        if number == count:
            return
        yield spans


def split(pattern: str, text: str, count: int) -> list[object]:
    """The text between matches, in at most `count` pieces."""
    if count == 0:
        return NilList()
    compiled = compile_pattern(pattern)
    if pattern and not text:
        return [""]
    pieces: list[object] = []
    begin = end = 0
    for start, stop, *_ in compiled.matches(text):
        if count > 0 and len(pieces) == count - 1:
            break
        end = start
        if stop != 0:
            pieces.append(text[begin:end])
        begin = stop
    if end != len(text):
        pieces.append(text[begin:])
    return pieces


def replace_all_literally(pattern: str, text: str, replacement: str) -> str:
    return _replaced(pattern, text, lambda spans: replacement)


def replace_all(pattern: str, text: str, replacement: str) -> str:
    """With $1, ${1} and ${name} in the replacement standing for groups."""
    pieces = _template(replacement, compile_pattern(pattern).names)

    def expand(spans: Spans) -> str:
        return "".join(
            p if isinstance(p, str) else text[max(spans[2 * p], 0) : max(spans[2 * p + 1], 0)] for p in pieces
        )

    return _replaced(pattern, text, expand)


def _replaced(pattern: str, text: str, expand: Callable[[Spans], str]) -> str:
    pieces: list[str] = []
    position = size = 0
    for spans in compile_pattern(pattern).matches(text):
        pieces += (text[position : spans[0]], expand(spans))
        position = spans[1]
        size += len(pieces[-1])
        if size > _MAX_TEXT:
            raise Fault("memory budget exceeded")
    return "".join(pieces) + text[position:]


_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")


def _template(replacement: str, names: tuple[str, ...]) -> list[str | int]:
    """The replacement in pieces: texts, and numbers of groups."""
    pieces: list[str | int] = []
    position = 0
    for match in _REFERENCE.finditer(replacement):
        pieces.append(replacement[position : match.start()])
        position = match.end()
        name = match[2] or match[3]
        if match[1]:
            pieces.append("$")
        elif name.isdecimal() and int(name) < len(names):
            pieces.append(int(name))
        elif name in names:
            pieces.append(names.index(name))
    pieces.append(replacement[position:])
    return pieces


def quote_meta(text: str) -> str:
    """`text` as a pattern that matches it."""
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", text)
