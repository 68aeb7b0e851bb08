"""Many logs at once, with few threads and connections: some are followed, others are asked in turns for what is new."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from nbflow.clients.argo_podlog import PodLog
from nbflow.clients.client import LogLine
from nbflow.errors import NbflowError, NotFoundError
from nbflow.kube.refusals import ForbiddenError, UnauthorizedError

FOLLOWED = 32
"""So many logs have a thread and a connection that stay: HTTP/1.1 has one log a connection."""
_MORE = 4
"""So many threads are there for all others."""
_SHORTEST, _LONGEST = 1.0, 16.0
"""Seconds until a log that is not followed is asked again: after news, and after a long silence."""
_A_SECOND = 50.0
"""So many of them are asked in a second at most: as often as kubectl allows itself."""


@dataclass(slots=True, eq=False)
class _Reading:
    """A log that is not complete yet. pause: until it is asked again, if it is not followed."""

    log: PodLog
    pause: float = _SHORTEST


@dataclass(slots=True)
class Readers:
    """give: gets each line, and what ends it all, from many threads; it may block.

    closed: set from outside, then `close` is called. lost: pods that went before anything of their log was read.
    failures: pod -> why its log could not be had, while those of others can.
    """

    give: Callable[[LogLine | NbflowError], None]
    closed: threading.Event
    lost: set[str] = field(default_factory=set)
    failures: dict[str, NbflowError] = field(default_factory=dict)
    _open: dict[str, list[_Reading]] = field(default_factory=dict)
    _ready: deque[_Reading] = field(default_factory=deque)
    _later: dict[_Reading, float] = field(default_factory=dict)
    _followed: int = 0
    _threads: int = 0
    _news: threading.Condition = field(default_factory=threading.Condition)

    def add(self, log: PodLog) -> None:
        """Read it to its end, from now on. Those that are still written to come first."""
        reading = _Reading(log)
        with self._news:
            self._open.setdefault(log.pod, []).append(reading)
            (self._ready.append if log.over else self._ready.appendleft)(reading)
            if self._threads < FOLLOWED + _MORE:
                self._threads += 1
                threading.Thread(target=self._work, name=f"nbflow log {self._threads}", daemon=True).start()
            self._news.notify_all()

    def over(self, pod: str) -> None:
        """The pod has ended: what can be read of its logs now is all."""
        with self._news:
            self._are_over(self._open.get(pod, ()))

    def all_over(self) -> None:
        """All pods have ended."""
        with self._news:
            self._are_over([reading for readings in self._open.values() for reading in readings])

    def wait(self) -> None:
        """Until all logs are complete."""
        with self._news:
            self._news.wait_for(lambda: not self._open or self.closed.is_set())

    def close(self) -> None:
        """End at once, after `closed` was set."""
        with self._news:
            for readings in self._open.values():
                for reading in readings:
                    reading.log.close()
            self._news.notify_all()

    def _are_over(self, readings: Sequence[_Reading]) -> None:
        for reading in readings:
            reading.log.over = True
            if self._later.pop(reading, None) is not None:
                self._ready.append(reading)
        self._news.notify_all()

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            reading, follow = taken
            due = self._read(reading, follow=follow)
            with self._news:
                self._followed -= follow
                self._put_back(reading, due)

    def _take(self) -> tuple[_Reading, bool] | None:
        """What to read next, and whether to follow it. None when there is nothing left."""
        with self._news:
            while not self.closed.is_set() and self._open:
                now = time.monotonic()
                due = [reading for reading, at in self._later.items() if at <= now]
                self._ready.extend(due)
                for reading in due:
                    del self._later[reading]
                if self._ready:
                    reading = self._ready.popleft()
                    follow = not reading.log.over and self._followed < FOLLOWED
                    self._followed += follow
                    return reading, follow
                self._news.wait(min(self._later.values()) - now if self._later else None)
            self._threads -= 1
            return None

    def _read(self, reading: _Reading, *, follow: bool) -> float | None:
        """Seconds until it is to be read again, None if it is complete.

        A connection that ends says nothing of the container (a kubelet restarts): only a pod that is over has no more.
        """
        log, began, over, last = reading.log, time.monotonic(), reading.log.over, reading.log.last
        try:
            # The kubelet may be still at writing when a pod is over: to follow it is to wait for the last line, too.
            for line in log.read(self.closed, follow=follow or over):
                self.give(line)
        except NotFoundError:
            if not log.last[0]:
                self.lost.add(log.pod)
            return None
        except NbflowError as error:
            return self._after(error, log, began)
        reading.pause = _SHORTEST if log.last != last else min(2 * reading.pause, _LONGEST)
        return None if over else 0.0 if log.over else reading.pause

    def _after(self, error: NbflowError, log: PodLog, began: float) -> float | None:
        if isinstance(error, ForbiddenError | UnauthorizedError):
            self.give(error)
            return None
        try:
            return log.pause_after(error, began)
        except NbflowError:
            self.failures[log.pod] = error
            return None

    def _put_back(self, reading: _Reading, pause: float | None) -> None:
        if pause is None:
            readings = self._open[reading.log.pod]
            readings.remove(reading)
            if not readings:
                del self._open[reading.log.pod]
        elif reading.log.over:
            self._later[reading] = time.monotonic() + min(pause, _SHORTEST)
        else:
            self._later[reading] = time.monotonic() + max(pause, len(self._later) / _A_SECOND)
        self._news.notify_all()
