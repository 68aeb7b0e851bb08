"""The last lines that the pods of a workflow logged, bounded, in the order they came."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from nbflow.clients.client import LogLine

ALL = 20_000
"""So many lines of all pods together are kept for the view; the log itself is whole, on disk."""
EACH = 1_000
"""So many lines are kept of one pod, however much the others log."""
LONGEST = 4_000
"""So many characters of a line are shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line and its place in the order of arrival, counted from 1."""

    number: int
    pod: str
    text: str


class Logbook:
    """Filled by one thread, read by another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: deque[Entry] = deque(maxlen=ALL)
        self._by_pod: dict[str, deque[Entry]] = {}
        self._number = 0

    def add(self, line: LogLine) -> None:
        """Take in one line."""
        text = line.text if len(line.text) <= LONGEST else line.text[: LONGEST - 1] + "…"
        with self._lock:
            self._number += 1
            entry = Entry(self._number, line.pod, text)
            self._all.append(entry)
            self._by_pod.setdefault(line.pod, deque(maxlen=EACH)).append(entry)

    def since(self, number: int, pods: frozenset[str] | None, limit: int) -> tuple[list[Entry], int]:
        """The last `limit` lines that came after `number`, and the number of the last line of all.

        pods: only theirs; None for everybody's.
        """
        with self._lock:
            source: deque[Entry] = self._all
            if pods is not None and len(pods) == 1:
                source = self._by_pod.get(next(iter(pods)), deque())
            found: list[Entry] = []
            for entry in reversed(source):
                if entry.number <= number or len(found) == limit:
                    break
                if pods is None or entry.pod in pods:
                    found.append(entry)
            return found[::-1], self._number
