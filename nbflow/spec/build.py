"""From the events of the C parser to plain data, in one loop: no recursion, no node tree, bounded aliases."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, cast

import yaml
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from nbflow.spec.scalars import SPECIAL_FIRST, is_base64, key_text, plain

MAX_DEPTH = 150
"""Of lists and mappings in each other."""
MAX_ALIASED = 100_000
"""Values that aliases may stand for, all in all."""

_TAG = "tag:yaml.org,2002:"
_MERGE: Final = "<<"
_NONE: Final = object()
_Repeated = list[tuple[int, str]]
Trail = list["int | str | tuple[int] | None"]
"""Where the nodes of a document stand, in reading order: for a scalar its first character; for a list or mapping the
complement (`~`) of its first character, what it holds, and None. A scalar that is a key is followed by the key (MERGE
for a merge). An alias is the index, in this list, of what it stands for, in a tuple.
"""
MERGE: Final = "<<\n"
"""No key: none ends like that."""


class _Mark(Protocol):
    index: int


class _Event(Protocol):
    """What the events have in common for us; which ones have what is said by their types."""

    start_mark: _Mark
    anchor: str | None
    tag: str | None
    implicit: tuple[bool, bool]
    value: str


class Fault(Exception):
    """What is wrong with a text, and at which of its characters. Never leaves this package."""

    def __init__(self, offset: int, problem: str, fix: str = "") -> None:
        super().__init__(problem)
        self.offset, self.problem, self.fix = offset, problem, fix


@dataclass(slots=True)
class Built:
    """The data of one document.

    repeated: keys that a mapping has twice, and where the first one stands (the later one counts).
    trail: where its parts stand; empty if nobody looked. words: unquoted scalars that may be no texts -> their values.
    """

    data: object
    repeated: _Repeated = field(default_factory=list)
    trail: Trail = field(default_factory=list)
    words: Mapping[str, object] = field(default_factory=dict)


def build(text: str) -> Built:
    """Read one document. Raises Fault if the text is no YAML, or goes beyond what is read."""
    if text.lstrip()[:1] == "{":
        data = _json(text)
        if data is not _NONE:
            return Built(data)
    return build_events(text)


def build_events(text: str) -> Built:
    """The same by the YAML parser, whatever the text looks like: with all places."""
    builder = _Builder(text)
    try:
        data = builder.run()
    except yaml.YAMLError as error:
        from nbflow.spec.syntax import explain

        raise explain(error, text) from None
    return Built(data, builder.repeated, builder.trail, builder.words)


def _json(text: str) -> object:
    """The data if the text is JSON without repeated keys, else `_NONE` (YAML reads it and says what is wrong)."""
    try:
        return json.loads(
            text, object_pairs_hook=_pairs, parse_float=_number, parse_int=_integer, parse_constant=_refuse
        )
    except (ValueError, RecursionError):
        return _NONE


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise ValueError("repeated key")
    return mapping


def _number(text: str) -> int | float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def _integer(text: str) -> int | float:
    return int(text) if len(text) < 20 else _number(text)


def _refuse(text: str) -> object:
    raise ValueError(text)


class _Builder:
    """Builds the first document of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.repeated: _Repeated = []
        self.words: dict[str, object] = {}
        self.trail: Trail = []
        self._anchors: dict[str, tuple[object, int]] = {}
        self._open: list[str | None] = []
        self._aliased = 0

    def run(self) -> object:  # noqa: C901, PLR0912, PLR0915 - the loop that all of loading spends its time in
        next_event = cast("Callable[[], _Event]", CParser(self.text).get_event)
        known = self.words
        stack: list[tuple[object, object]] = []
        trail = self.trail
        mark = trail.append
        holder: object = None  # the list or mapping that is being filled
        key: object = _NONE  # of the mapping: what the next value belongs to
        while True:
            event = next_event()
            kind: type = type(event)
            value: object
            if kind is ScalarEvent:
                value = text = event.value
                if event.implicit[0]:
                    if not text or text[0] in SPECIAL_FIRST:
                        found = known.get(text, _NONE)
                        value = self._scalar(text, event) if found is _NONE else found
                elif event.tag is not None:
                    value = self._tagged(text, event)
                mark(event.start_mark.index)
                if event.anchor is not None:
                    self._anchors[event.anchor] = value, len(trail) - 1
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                offset = event.start_mark.index
                value = {} if kind is MappingStartEvent else []
                if len(stack) >= MAX_DEPTH:
                    raise Fault(offset, f"nested too deeply: more than {MAX_DEPTH} levels")
                mark(~offset)
                if event.anchor is not None:
                    self._anchors[event.anchor] = value, len(trail) - 1
                stack.append((holder, key))
                self._open.append(event.anchor)
                holder, key = value, _NONE
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                value = holder
                holder, key = stack.pop()
                self._open.pop()
                mark(None)
            elif kind is AliasEvent:
                value = self._alias(event, len(stack))
            elif kind is type(None) or kind is DocumentEndEvent:
                return holder
            else:
                continue
            # The value is complete: hand it to what holds it.
            if type(holder) is dict:
                if key is _NONE:
                    key = value if type(value) is str else self._key(value, event)
                    if key == _MERGE and getattr(event, "implicit", (False,))[0]:
                        key = None
                    mark(cast("str", key) if key is not None else MERGE)
                elif key is None:
                    self._merge(holder, value, event)
                    key = _NONE
                else:
                    if key in holder:
                        self._repeat(str(key), event)
                    holder[key] = value
                    key = _NONE
            elif type(holder) is list:
                holder.append(value)
            else:
                next_event()  # what follows has to end the document
                return value

    def _scalar(self, text: str, event: _Event) -> object:
        """An unquoted scalar that may be something else than a text."""
        value = plain(text)
        if isinstance(value, float) and not math.isfinite(value):
            raise Fault(
                event.start_mark.index,
                f"unsupported value: {text}",
                "a manifest has finite numbers only; quote it",
            )
        self.words[text] = value
        return value

    def _tagged(self, text: str, event: _Event) -> object:
        """A scalar with a tag such as `!!str`."""
        tag = (event.tag or "").removeprefix(_TAG)
        if tag in {"int", "float", "bool", "null"}:
            value = self._scalar(text, event)
            expected = {"int": int, "float": int | float, "bool": bool, "null": type(None)}[tag]
            if not isinstance(value, expected):
                raise Fault(event.start_mark.index, f"cannot decode `{text}` as a !!{tag}", "remove the tag")
            return value
        if tag == "binary":
            if not is_base64(text):
                raise Fault(
                    event.start_mark.index, f"cannot decode `{text}` as base64", "remove the tag !!binary"
                )
            return base64.b64decode(text).decode("utf-8", errors="replace")
        return text

    def _key(self, value: object, event: _Event) -> object:
        """A key that is no text."""
        text = key_text(value) if isinstance(value, int | float) else None
        if text is not None:
            return text
        offset = event.start_mark.index
        start = max(self.text.rfind("{{", 0, offset + 2), 0)
        if isinstance(value, dict) and "{{" in self.text[start : offset + 2]:
            raise Fault(
                start, "invalid map key: an unquoted {{ begins a YAML mapping", 'quote the value: "{{...}}"'
            )
        what = "null" if value is None else "a mapping" if isinstance(value, dict) else "a list"
        raise Fault(offset, f"unsupported map key: {what}", "a key is a text; quote it")

    def _repeat(self, key: str, event: _Event) -> None:
        before = self.text.rfind(key, 0, event.start_mark.index)
        self.repeated.append((max(before, 0), key))

    def _merge(self, holder: dict[str, object], value: object, event: _Event) -> None:
        """`<<`: the keys of another mapping, or of several, of which earlier ones win."""
        sources = value if isinstance(value, list) else [value]
        for source in reversed(sources):
            if not isinstance(source, dict):
                raise Fault(event.start_mark.index, "map merge requires map or sequence of maps as the value")
            for name in source:
                if name in holder:
                    self._repeat(name, event)
            holder.update(source)

    def _alias(self, event: _Event, depth: int) -> object:
        """A copy of what the anchor stands for."""
        offset = event.start_mark.index
        anchor = event.anchor or ""
        if anchor not in self._anchors:
            raise Fault(offset, f"unknown anchor '{anchor}' referenced", f"define it before: `&{anchor}`")
        if anchor in self._open:
            raise Fault(offset, f"anchor '{anchor}' value contains itself")
        value, index = self._anchors[anchor]
        self.trail.append((index,))
        return self._copy(value, offset, depth)

    def _copy(self, value: object, offset: int, depth: int) -> object:
        self._aliased += 1
        if self._aliased > MAX_ALIASED:
            raise Fault(
                offset,
                "document contains excessive aliasing",
                "write the repeated parts out, or fewer of them",
            )
        if depth > MAX_DEPTH:
            raise Fault(offset, f"nested too deeply: more than {MAX_DEPTH} levels")
        if isinstance(value, dict):
            return {key: self._copy(item, offset, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self._copy(item, offset, depth + 1) for item in value]
        return value
