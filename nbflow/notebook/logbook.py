"""The last lines that the pods of a workflow logged, bounded, in the order they came."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from nbflow.clients.client import LogLine

ALL, ALL_SIZE = 50_000, 32_000_000
"""So many lines, and characters, of all pods together are kept for the view; the log itself is whole, on disk."""
EACH, EACH_SIZE = 2_000, 1_000_000
"""So many are kept of one pod, however much the others log."""
LONGEST = 4_000
"""So many characters of a line are shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line and its place in the order of arrival, counted from 1."""

    number: int
    pod: str
    text: str
    at: datetime | None = None


class _Shelf:
    """The newest entries, as many as fit."""

    def __init__(self, lines: int, size: int) -> None:
        self.entries: deque[Entry] = deque()
        self._lines, self._room = lines, size

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._room -= len(entry.text)
        while len(self.entries) > self._lines or (self._room < 0 and len(self.entries) > 1):
            self._room += len(self.entries.popleft().text)


class Logbook:
    """Filled by one thread, read by another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all = _Shelf(ALL, ALL_SIZE)
        self._by_pod: dict[str, _Shelf] = {}
        self._counts: dict[str, int] = {}
        self._number = 0

    def add(self, line: LogLine) -> None:
        """Take in one line."""
        with self._lock:
            self._number += 1
            entry = Entry(self._number, line.pod, shortened(line.text), line.at)
            self._all.add(entry)
            if line.pod not in self._by_pod:
                self._by_pod[line.pod] = _Shelf(EACH, EACH_SIZE)
            self._by_pod[line.pod].add(entry)
            self._counts[line.pod] = self._counts.get(line.pod, 0) + 1

    def since(self, number: int, pods: frozenset[str] | None) -> tuple[list[Entry], int]:
        """The lines that came after `number` and are still here, and how many ever came.

        pods: only theirs; None for everybody's.
        """
        with self._lock:
            ever = self._number if pods is None else sum(self._counts.get(pod, 0) for pod in pods)
            return self._newest(number, pods), ever

    def _newest(self, number: int, pods: frozenset[str] | None) -> list[Entry]:
        shelf = self._all
        if pods is not None and len(pods) == 1:
            shelf = self._by_pod.get(next(iter(pods)), _Shelf(0, 0))
        found: list[Entry] = []
        for entry in reversed(shelf.entries):
            if entry.number <= number:
                break
            if pods is None or entry.pod in pods:
                found.append(entry)
        return found[::-1]


def shortened(text: str) -> str:
    """A line as the view shows it: a very long one without its end."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]} … ({len(text) - LONGEST:,} more characters)"
