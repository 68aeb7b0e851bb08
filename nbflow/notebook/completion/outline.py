"""What a half-written manifest holds, as far as its indentation tells, and where in it the cursor stands.

A mark in the text stands for the cursor. Lines that make no sense are passed over: the line that is being written
is one of them more often than not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from nbflow.notebook.completion.flow import flow_end, read_flow

MARK = "\ue000"
"""Stands for the cursor: a character that no manifest holds."""

_KEY = re.compile(rf"""("[^"]*"|'[^']*'|[^\s#{{}}\[\],&*!|>%@`"'][^#\n]*?)[ \t]*:(?=[ \t]|{MARK}?$)""")
_DASH = re.compile(rf"-(?=[ \t]|$|{MARK})[ \t]*")
_BLOCK = re.compile(r"[|>][-+0-9]*[ \t]*(#.*)?$")
_COMMENT = re.compile(r"(^|\s)#.*$")

_TAG_LINES = 5
"""A tag may go over so many line ends: an expression in a text."""
_REST_OF_TAG = re.compile(r"\A[^\n{}]*\}\}?")

Step = str | int


@dataclass
class Place:
    """Where the cursor is. path: keys and indices down to it. before: what stands left of it in its word or value.

    key: it is in the name of a field, or may become one; then `path` leads to the mapping. value: it may be a value.
    written: the name that the cursor is in, as it is.
    """

    path: tuple[Step, ...]
    before: str
    key: bool
    value: bool
    written: str = ""


@dataclass
class Outline:
    """The documents of a text as plain data, the one with the cursor, and the place in it; None if it is nowhere.

    tag: what stands left of the cursor in a {{ that is not closed before it; None outside of one.
    """

    documents: list[object] = field(default_factory=list)
    current: object = None
    place: Place | None = None
    tag: str | None = None


def read(text: str, cursor: int) -> Outline:
    """The outline of `text` with the cursor at that character."""
    outline = Outline()
    before, after = text[:cursor], text[cursor:]
    start = before.rfind("{{")
    if start >= 0 and "}}" not in before[start:] and before.count("\n", start) <= _TAG_LINES:
        outline.tag = before[start + 2 :]
        before, after = before[:start], _REST_OF_TAG.sub("", after)  # its braces would look like YAML
    marked = before + MARK + after
    for part in re.split(r"^---[^\n]*$", marked, flags=re.MULTILINE):
        reader = _Reader(part.split("\n"))
        data = reader.run()
        outline.documents.append(data)
        if MARK in part:
            outline.current, outline.place = data, reader.place
    return outline


@dataclass
class _Open:
    """A mapping or list that lines may still add to. column: where its keys or dashes stand."""

    column: int
    data: dict[str, object] | list[object]
    path: tuple[Step, ...]
    key: str | None = None  # of a mapping: the last key


class _Reader:
    """Reads the lines of one document."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._number = 0
        self._root: dict[str, object] | list[object] = {}
        self._stack = [_Open(-1, {}, ())]
        self.place: Place | None = None

    def run(self) -> object:
        """The data of the document."""
        self._stack = [_Open(0, {}, ())]
        self._root = self._stack[0].data
        first = True
        while self._number < len(self._lines):
            line = self._lines[self._number].expandtabs(1)
            self._number += 1
            if self._is_nothing(line):
                continue
            column = len(line) - len(line.lstrip(" "))
            if first and MARK not in line:
                self._stack[0].column, first = column, False
            self._take(line.rstrip(), column)
        return self._root

    @staticmethod
    def _is_nothing(line: str) -> bool:
        text = line.strip()
        return not text or (text.startswith("#") and MARK not in text)

    def _take(self, line: str, column: int) -> None:
        """One line: dashes, then a key with its value, or something else."""
        content = line[column:]
        while dash := _DASH.match(content):
            self._item(column)
            column += dash.end()
            content = content[dash.end() :]
            if not content:
                return
        if content.startswith("#"):
            return
        found = _KEY.match(content)
        if found and not content.startswith(("{", "[")):
            self._entry(column, found.group(1), content[found.end() :].strip(), column)
        else:
            self._bare(column, content)

    # --- where a line belongs

    def _item(self, column: int) -> None:
        """A dash: the list that it belongs to gets one more item."""
        while len(self._stack) > 1 and (
            self._stack[-1].column > column
            or (
                self._stack[-1].column == column
                and not isinstance(self._stack[-1].data, list)
                and self._stack[-1].key is None
            )
        ):
            self._stack.pop()
        top = self._stack[-1]
        if not (isinstance(top.data, list) and top.column == column):
            top = self._open(column, [])
        assert isinstance(top.data, list)
        top.data.append(None)

    def _mapping(self, column: int) -> _Open:
        """The mapping whose keys stand at this column."""
        while len(self._stack) > 1 and (
            self._stack[-1].column > column
            or (self._stack[-1].column == column and isinstance(self._stack[-1].data, list))
        ):
            self._stack.pop()
        top = self._stack[-1]
        if isinstance(top.data, dict) and (
            top.column == column or (len(self._stack) == 1 and top.key is None)
        ):
            return top
        return self._open(column, {})

    def _open(self, column: int, data: dict[str, object] | list[object]) -> _Open:
        """A new mapping or list, as the value of what is open above it."""
        top = self._stack[-1]
        step: Step
        if isinstance(top.data, list):
            step = max(len(top.data) - 1, 0)
            top.data[step:] = [data]
        elif top.key is None:
            return top if type(top.data) is type(data) else self._replaced(column, data)
        else:
            step = top.key
            top.data[step] = data
        self._stack.append(_Open(column, data, (*top.path, step)))
        return self._stack[-1]

    def _replaced(self, column: int, data: dict[str, object] | list[object]) -> _Open:
        """A list where an empty root mapping was."""
        self._stack = [_Open(column, data, ())]
        self._root = data
        return self._stack[0]

    # --- what a line holds

    def _entry(self, column: int, key: str, rest: str, indent: int) -> None:
        owner = self._mapping(column)
        assert isinstance(owner.data, dict)
        name = key.replace(MARK, "").strip().strip("\"'")
        if MARK in key:
            before = key.partition(MARK)[0].lstrip("\"'")
            self.place = Place(owner.path, before, key=True, value=False, written=name)
        owner.key = name
        path = (*owner.path, name)
        owner.data[name] = self._value(rest, path, indent)

    def _bare(self, column: int, content: str) -> None:
        """A line without a key: a scalar of a list, the rest of a text, or the beginning of a key."""
        top = self._stack[-1]
        if isinstance(top.data, list) and column > top.column:
            step = max(len(top.data) - 1, 0)
            value = self._value(content, (*top.path, step), top.column, item=True)
            top.data[step:] = [value]
        elif MARK in content:
            owner = self._holder(column)
            before = content.partition(MARK)[0]
            key = isinstance(owner.data, dict)
            self.place = Place(owner.path, before.lstrip(), key=key, value=False)

    def _holder(self, column: int) -> _Open:
        """What an unfinished line at this column would add to."""
        while len(self._stack) > 1 and self._stack[-1].column > column:
            self._stack.pop()
        top = self._stack[-1]
        if isinstance(top.data, dict) and top.key is not None and column > top.column:
            held = top.data.get(top.key)
            if held is None or held == "":
                return _Open(column, {}, (*top.path, top.key))
        if isinstance(top.data, list) and top.column == column and len(self._stack) > 1:
            return self._stack[-2]
        return top

    def _value(self, rest: str, path: tuple[Step, ...], column: int, *, item: bool = False) -> object:
        """What stands behind a key or dash."""
        rest = re.sub(r"^[&!][^\s{\[]*\s*", "", rest)
        if _BLOCK.match(rest.replace(MARK, "")) and rest[:1] in "|>":
            return self._block(path, column)
        if rest[:1] in ("{", "["):
            return self._flow(rest, path, column)
        if MARK in rest:
            before = rest.partition(MARK)[0]
            self.place = Place(path, before.lstrip("\"'"), key=item and "{{" not in before, value=True)
        text = rest.replace(MARK, "")
        if text[:1] in ("'", '"'):
            return self._quoted(text, path, column)
        text = _COMMENT.sub("", text).strip()
        return text or None

    def _block(self, path: tuple[Step, ...], column: int) -> str:
        """The lines of a text that is a block."""
        lines = list(self._indented(column))
        text = "\n".join(lines)
        if MARK in text:
            before = text.partition(MARK)[0]
            self.place = Place(path, before.rpartition("\n")[2].lstrip(), key=False, value=True)
        return text.replace(MARK, "")

    def _indented(self, column: int) -> Iterator[str]:
        """The lines that follow, as long as they are blank or further to the right than `column`."""
        while self._number < len(self._lines):
            line = self._lines[self._number]
            if line.strip() and len(line) - len(line.lstrip(" ")) <= column:
                return
            self._number += 1
            yield line

    def _flow(self, rest: str, path: tuple[Step, ...], column: int) -> object:
        """A value in braces or brackets, over several lines if it is not closed on its own."""
        if not _looks_closed(rest) and flow_end(rest) < 0:
            taken = []
            start = self._number
            for line in self._indented(column):
                taken.append(line.strip())
                if flow_end("\n".join([rest, *taken])) >= 0:
                    break
                if (
                    _KEY.match(line.strip())
                    and not line.strip().startswith(("{", "[", '"', "'"))
                    and "," not in line
                ):
                    taken, self._number = taken[:-1], start + len(taken) - 1
                    break
            rest = "\n".join([rest, *taken])
        data, place = read_flow(rest, MARK)
        if place is not None:
            self.place = Place((*path, *place.path), place.before, place.key, place.value, place.written)
        return data

    def _quoted(self, text: str, path: tuple[Step, ...], column: int) -> str:
        """A quoted text; one that is not closed goes on to the line that closes it."""
        quote = text[0]
        if not re.search(rf"{quote}\s*(#.*)?$", text[1:]):
            for line in self._indented(column):
                if MARK in line:
                    before = line.partition(MARK)[0]
                    self.place = Place(path, before.lstrip(), key=False, value=True)
                text += "\n" + line.strip().replace(MARK, "")
                if line.rstrip().endswith(quote):
                    break
        return text.strip().strip(quote)


def _looks_closed(text: str) -> bool:
    """Whether braces and brackets come in pairs: what nearly all lines can be told by."""
    return text.count("{") == text.count("}") and text.count("[") == text.count("]")
