"""The part of the live view that shows logs: which lines travel next, and how many were left out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import NotRequired, TypedDict

from nbflow.clients.client import Client, LogOptions
from nbflow.errors import NbflowError
from nbflow.notebook.logbook import Entry, Logbook
from nbflow.notebook.rows import millis

LINES, SIZE = 2_000, 600_000
"""So many log lines, and characters, travel in one message."""
BEHIND = 20_000
"""Where the page is more lines behind than this, it goes on with the newest; it shows that lines were left out."""

Line = tuple[str, str, int | None]
"""Display name of the node, text, time in milliseconds since 1970."""


class Log(TypedDict):
    """Lines of the selected node ("": of all). reset: in place of what the page has. skipped: lines left out so far.

    problem: why there are no more, where they cannot be had.
    """

    of: str
    reset: bool
    skipped: int
    lines: list[Line]
    problem: NotRequired[str]


class LogFeed:
    """Reads the log of a workflow once, and gives it away in parts. heard: called on each line, at once."""

    def __init__(self, client: Client, name: str, heard: Callable[[], None]) -> None:
        self._client, self._name, self._heard = client, name, heard
        self._book = Logbook()
        self._of = ""
        self._pods: Callable[[], frozenset[str] | None] = lambda: None
        self._chosen: frozenset[str] | None = None
        self._skipped = 0
        self.reading = False
        self._problem = ""
        self.rewind()

    def start(self) -> None:
        """Begin to read, from the first line."""
        self.reading, self._problem = True, ""
        self._book = Logbook()
        self.rewind()
        threading.Thread(target=self._read, args=(self._book,), name="nbflow log", daemon=True).start()

    def choose(self, node: str, pods: Callable[[], frozenset[str] | None]) -> None:
        """From now on only the lines of that node. pods: what it consists of now; None for all."""
        self._of, self._pods = node, pods
        self.rewind()

    def rewind(self) -> None:
        """Give all lines once more."""
        self._cursor, self._given, self._skipped, self._reset = 0, 0, 0, True
        self._told = ""

    def next(self, names: Mapping[str, str], *, all_known: bool) -> tuple[Log | None, bool]:
        """The next part (None if there is nothing new), and whether more can follow at once.

        names: pod -> display name of its node. all_known: a pod without a name will not get one any more; until then
        its lines wait, for the log may be ahead of the watch.
        """
        pods = self._choose_pods()
        entries, ever = self._book.since(self._cursor, pods)
        if len(entries) > BEHIND:
            entries = entries[-LINES:]
        skipped = ever - self._given - len(entries)
        part = _fitting(entries if all_known else _named(entries, names))
        problem, self._told = (self._problem if self._problem != self._told else ""), self._problem
        if not part and not self._reset and not skipped and not problem:
            return None, False
        if part or skipped:
            self._cursor = part[-1].number if part else entries[0].number - 1 if entries else self._cursor
        self._given += len(part) + skipped
        self._skipped += skipped
        reset, self._reset = self._reset, False
        lines = [(names.get(one.pod, one.pod), one.text, millis(one.at)) for one in part]
        log = Log(of=self._of, reset=reset, skipped=self._skipped, lines=lines)
        if problem:
            log["problem"] = problem
        return log, 0 < len(part) < len(entries)

    def _choose_pods(self) -> frozenset[str] | None:
        """The pods whose lines are wanted. From the start again if one has joined whose lines came before."""
        before, self._chosen = self._chosen, self._pods()
        joined = frozenset() if self._chosen is None or before is None else self._chosen - before
        if joined and self._cursor and self._book.since(0, joined)[1]:
            self.rewind()
        return self._chosen

    def _read(self, book: Logbook) -> None:
        try:
            for line in self._client.logs(self._name, LogOptions(follow=True)):
                book.add(line)
                self._heard()
        except NbflowError as error:
            self._problem = str(error)
        finally:
            self.reading = False
            self._heard()


def _fitting(entries: list[Entry]) -> list[Entry]:
    """The first of them, as many as fit into a message; at least one."""
    size = 0
    for index, entry in enumerate(entries[:LINES]):
        size += len(entry.text)
        if size > SIZE and index:
            return entries[:index]
    return entries[:LINES]


def _named(entries: list[Entry], names: Mapping[str, str]) -> list[Entry]:
    """The first of them, up to one whose node is not known yet."""
    for index, entry in enumerate(entries):
        if entry.pod not in names:
            return entries[:index]
    return entries
