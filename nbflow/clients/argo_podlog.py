"""The log of one container in a cluster: each line once, whatever becomes of the connection."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
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
_PATIENCE_SECONDS = 300.0
"""So long may the server, or the node of the pod, be away."""
_LASTED_SECONDS = 1.0
_EXECUTOR = re.compile(r'time="?\d{4}-\d\d-\d\dT\S+ level=\w+ msg=.* argo=true(?: |$)')
"""What Argo's executor says of itself in the log of a container that it runs: no line of the user's."""
_MORE_LINES = 16


@dataclass(slots=True, eq=False)
class PodLog:
    """One container's log, read from any number of connections without losing or repeating a line.

    over: its pod has ended, so that the next reading gives all that is left. last: time of the last line given, in
    nanoseconds for comparing; count: how many lines of that time were given.
    """

    api: Api
    pod: str
    container: str
    options: LogOptions
    over: bool = False
    last: tuple[str, str] = ("", "")
    count: int = 0
    _stream: HTTPStream | None = None
    _tailed: bool = False
    _untimed: str = ""
    _pauses: Pauses = field(default_factory=lambda: Pauses(first=0.1, longest=5.0))
    _away_since: float | None = None

    def lines(self, closed: threading.Event) -> Iterator[LogLine]:
        """All that there is now. Raises NbflowError if it cannot be had, NotFoundError if the pod is gone."""
        if self.options.since == timedelta():
            return
        while not closed.is_set():
            began = time.monotonic()
            try:
                yield from self.read(closed, follow=False)
                return
            except NbflowError as error:
                closed.wait(self.pause_after(error, began))

    def read(self, closed: threading.Event, *, follow: bool) -> Iterator[LogLine]:
        """Over one connection: what was not given yet; with follow until the container, or the connection, ends.

        None if the container never started. Raises NbflowError.
        """
        try:
            if self.options.tail is not None and not self._tailed:
                found = self._tail(self.options.tail, closed)
                self._tailed = True
                yield from found
                if not follow:
                    return
            yield from self._users(self._connect({**self._query(), "follow": follow}, closed))
        except NbflowError as error:
            if not (_NOT_YET.search(error.problem) and (self.over or not self.options.follow)):
                raise

    def pause_after(self, error: NbflowError, began: float) -> float:
        """Seconds to wait before it is read again after a reading that failed. Raises `error` if that is hopeless."""
        now = time.monotonic()
        if _NOT_YET.search(error.problem):
            return self._pauses.next()
        if not isinstance(error, UnavailableError):
            raise error
        if self._stream is not None and now - began > _LASTED_SECONDS:
            self._is_back()  # it was silent for long, or the connection broke: the server is there
        self._away_since = self._away_since or now
        if now - self._away_since > _PATIENCE_SECONDS:
            raise error
        return self._pauses.next()

    def close(self) -> None:
        """End the reading at once, from any thread."""
        if self._stream is not None:
            self._stream.close()

    def _is_back(self) -> None:
        self._away_since = None
        self._pauses.reset()

    def _connect(self, query: Query, closed: threading.Event) -> Iterator[LogLine]:
        self._stream = None
        self._stream = self.api.stream(POD, query, name=self.pod, part="log", silence=_SILENCE_SECONDS)
        if closed.is_set():
            self._stream.close()
        return self._parsed(self._stream)

    def _users(self, lines: Iterator[LogLine]) -> Iterator[LogLine]:
        for line in lines:
            found = _EXECUTOR.search(line.text)
            if found is None:
                yield line
            elif found.start():  # the user's last line had no end
                yield replace(line, text=line.text[: found.start()])

    def _tail(self, wanted: int, closed: threading.Event) -> list[LogLine]:
        """The last lines of the user's: the executor's own do not count, and nobody knows before how many there are."""
        ask = wanted + _MORE_LINES
        while True:
            self.last, self.count = ("", ""), 0
            query = {**self._query(), "tailLines": str(ask)}
            found = list(self._connect(query, closed))
            users = list(self._users(iter(found)))
            if len(users) >= wanted or len(found) < ask or closed.is_set():
                return users[-wanted:] if wanted else []
            ask *= 4

    def _query(self) -> Query:
        options = self.options
        query: dict[str, str | int | bool | None] = {
            "container": self.container,
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

    def _parsed(self, stream: HTTPStream) -> Iterator[LogLine]:
        known, skip = self.last, self.count
        for line in stream.lines():
            self._is_back()
            text = line.decode(errors="replace").removesuffix("\r")
            stamp, _, rest = text.partition(" ")
            at = _sortable(stamp)
            if at is None:  # the kubelet's own words, once: it says them each time
                if text != self._untimed:
                    self._untimed = text
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
