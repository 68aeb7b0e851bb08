"""The log of one container in a cluster: each line once, whatever becomes of the connection."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nbflow.clients.client import LogLine, LogOptions
from nbflow.errors import NbflowError
from nbflow.kube.api import Api, Pauses
from nbflow.kube.refusals import UnavailableError
from nbflow.kube.resources import POD
from nbflow.kube.transport import HTTPStream, Query
from nbflow.spec.status import format_time, parse_time

_SILENCE_SECONDS = 90.0
_NOT_YET = re.compile(
    r"waiting to start|ContainerCreating|PodInitializing|not available|not found in pod", re.IGNORECASE
)
_STAMP = re.compile(r"^(\S+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$")
_TRIES = 20
_EXECUTOR = re.compile(r"time=\S+ level=\w+ msg=.* argo=true(?: |$)")
"""What Argo's executor says of itself in the log of a container that it runs: no line of the user's."""
_MORE_LINES = 16


@dataclass(slots=True)
class PodLog:
    """One container's log, read from any number of connections without losing or repeating a line.

    last: time of the last line given, in nanoseconds for comparing; count: how many lines of that time were given.
    """

    api: Api
    pod: str
    container: str
    options: LogOptions
    last: tuple[str, str] = ("", "")
    count: int = 0
    stream: HTTPStream | None = None

    def lines(self, closed: threading.Event) -> Iterator[LogLine]:
        """All lines; with follow until the container ended. Raises NbflowError if the log cannot be had."""
        if self.options.since == timedelta() and not self.options.follow:
            return
        pauses = Pauses(first=0.1, longest=2.0)
        tail = self.options.tail
        while not closed.is_set():
            before = (self.last, self.count)
            try:
                if tail is not None:
                    yield from self._tail(tail, closed)
                    if not self.options.follow:
                        return
                    tail = None
                yield from self._users(self._connect(self._query(), closed))
                return
            except UnavailableError:
                if (self.last, self.count) != before:
                    pauses.reset()
                if pauses.taken >= _TRIES:
                    raise
            except NbflowError as error:
                if not (self.options.follow and _NOT_YET.search(error.problem)) or pauses.taken >= _TRIES:
                    raise
            closed.wait(pauses.next())

    def _connect(self, query: Query, closed: threading.Event) -> Iterator[LogLine]:
        self.stream = self.api.stream(POD, query, name=self.pod, part="log", silence=_SILENCE_SECONDS)
        if closed.is_set():
            self.stream.close()
        return self._read(self.stream)

    def _users(self, lines: Iterator[LogLine]) -> Iterator[LogLine]:
        return (line for line in lines if not _EXECUTOR.match(line.text))

    def _tail(self, wanted: int, closed: threading.Event) -> list[LogLine]:
        """The last lines of the user's: the executor's own do not count, and nobody knows before how many there are."""
        ask = wanted + _MORE_LINES
        while True:
            self.last, self.count = ("", ""), 0
            query = {**self._query(), "follow": None, "tailLines": str(ask)}
            found = list(self._connect(query, closed))
            users = list(self._users(iter(found)))
            if len(users) >= wanted or len(found) < ask or closed.is_set():
                return users[-wanted:] if wanted else []
            ask *= 4

    def _query(self) -> Query:
        options = self.options
        query: dict[str, str | int | bool | None] = {
            "container": self.container,
            "follow": options.follow,
            "timestamps": True,
        }
        if self.last[0]:
            return {**query, "sinceTime": self.last[0] + "Z"}
        if options.since is not None:
            # The server takes whole seconds, and no fewer than one.
            query["sinceSeconds"] = max(1, math.ceil(options.since.total_seconds()))
        if options.since_time is not None:
            query["sinceTime"] = format_time(options.since_time)
        return query

    def _read(self, stream: HTTPStream) -> Iterator[LogLine]:
        known, skip = self.last, self.count
        for line in stream.lines():
            text = line.decode(errors="replace").removesuffix("\r")
            stamp, _, rest = text.partition(" ")
            at = _sortable(stamp)
            if at is None:
                yield LogLine(self.pod, self.container, text)
                continue
            if at < known:
                continue
            if at == known and skip > 0:
                skip -= 1
                continue
            self.count = self.count + 1 if at == self.last else 1
            self.last = at
            yield LogLine(self.pod, self.container, rest, parse_time(_micro(stamp)))


def _sortable(stamp: str) -> tuple[str, str] | None:
    """A time to the nanosecond, in UTC, that sorts as text; None for what is no time."""
    found = _STAMP.match(stamp)
    if found is None:
        return None
    try:
        at = datetime.fromisoformat(found[1] + found[3]).astimezone(UTC)
    except ValueError:
        return None
    return at.strftime("%Y-%m-%dT%H:%M:%S"), (found[2] or "").ljust(9, "0")


def _micro(stamp: str) -> str:
    """The time to the microsecond: more than that Python does not read."""
    return re.sub(r"(\.\d{6})\d+", r"\1", stamp)
