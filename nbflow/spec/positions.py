"""Where the parts of a document stand in its text. Only a document with findings is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from nbflow.spec.build import MERGE, Trail

Parts = dict[str | int, tuple[int, int]]
"""Key, or index in a list -> where its key stands in a trail (-1 in a list), and where its value does."""


class Places:
    """Finds nodes in the trail that a reader left. Only what lies on the way to a node is looked at."""

    def __init__(self, text: str, trail: Trail) -> None:
        self._text, self._trail = text, trail
        self._ends = _ends(trail)
        self._parts: dict[int, Parts] = {}

    def find(self, path: Sequence[str | int], *, key: bool, needle: str) -> int:
        """The character at which `path`, or its nearest parent that is there, begins; 0 if there is nothing.

        key: where its key stands; always so for mappings and lists. needle: a text within the value.
        """
        if not self._trail:
            return 0
        node, key_node = 0, -1
        for depth, step in enumerate(path):
            found = self.inside(node).get(step)
            if found is None:
                key = key or depth > 0
                break
            key_node, node = found
        place = self._text.find(needle, self.start(node), self._bound(node)) if needle else -1
        if place >= 0:
            return place
        return self.start(key_node if key_node >= 0 and (key or node in self._ends) else node)

    def start(self, node: int) -> int:
        """The first character of a node."""
        entry = self._trail[node]
        if isinstance(entry, tuple):
            return self.start(entry[0])
        offset = cast("int", entry)
        return offset if offset >= 0 else ~offset

    def is_scalar(self, node: int) -> bool:
        """Whether it is neither a mapping nor a list."""
        return node not in self._ends

    def _bound(self, node: int) -> int:
        """A character behind a node, and before the next one."""
        trail = self._trail
        for index in range(self._ends.get(node, node) + 1, len(trail)):
            if isinstance(trail[index], int):
                return self.start(index)
        return len(self._text)

    def inside(self, node: int) -> Parts:
        """What a mapping or list holds; an alias is what it stands for. The document itself is node 0."""
        parts = self._parts.get(node)
        if parts is None:
            self._parts[node] = parts = {}
            if node in self._ends:
                self._read(node + 1, self._ends[node], parts)
        return parts

    def _read(self, index: int, end: int, parts: Parts) -> None:
        trail, ends = self._trail, self._ends
        merged: list[int] = []
        while index < end:
            name, key = trail[index + 1], index
            if isinstance(name, str):
                index += 2
            entry = trail[index]
            value = entry[0] if isinstance(entry, tuple) else index
            index = ends.get(index, index) + 1
            if not isinstance(name, str):
                parts[len(parts)] = (-1, value)
            elif name == MERGE:
                merged.append(value)
            else:
                parts[name] = (key, value)
        for value in merged:
            self._merge(parts, value)

    def _merge(self, parts: Parts, value: int) -> None:
        """Fields of another mapping, or of several, of which earlier ones win; those of the mapping itself stay."""
        brought = self.inside(value)
        for name, place in brought.items():
            if isinstance(name, int):
                self._merge(parts, place[1])
            else:
                parts.setdefault(name, place)


def _ends(trail: Trail) -> dict[int, int]:
    """Where lists and mappings begin and end in the trail."""
    ends: dict[int, int] = {}
    begun: list[int] = []
    for index, entry in enumerate(trail):
        if entry is None:
            ends[begun.pop()] = index
        elif type(entry) is int and entry < 0:
            begun.append(index)
    return ends
