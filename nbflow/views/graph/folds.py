"""What of a graph is drawn in detail: what is small, and what a person opened."""

from __future__ import annotations

from collections.abc import Mapping

STEP = 100
"""So many turns of a loop are drawn when it is opened, and so many more on request."""
ROOM = 300
"""So many shapes may be opened beyond those that are there by themselves: more than that nobody can read."""


class Folds:
    """asked: path -> how many turns or parts a person wants to see there, 0 for shut. shapes: room for all else."""

    def __init__(self, asked: Mapping[str, int], shapes: int) -> None:
        self._asked, self._left, self._room = asked, shapes, ROOM

    def group(self, path: str, wanted: int, *, always: bool = False) -> bool:
        """Whether a group of `wanted` members is drawn open; takes their room if it is."""
        asked = self._asked.get(path)
        if asked == 0 and not always:
            return False
        if wanted <= self._left or always:
            self._left -= wanted
            return True
        return self._take(wanted) if asked else False

    def many(self, path: str, size: int, fan_out: int) -> int:
        """How many of `size` alike are drawn one by one; 0 if they are one stack."""
        asked = self._asked.get(path)
        if asked is None:
            few = size <= min(fan_out, self._left)
            self._left -= size if few else 0
            return size if few else 0
        shown = min(asked, size, self._room)
        self._room -= shown
        return shown

    def asked(self, path: str) -> bool:
        """Whether a person opened it."""
        return self._asked.get(path, 0) > 0

    def _take(self, wanted: int) -> bool:
        if wanted > self._room:
            return False
        self._room -= wanted
        return True
