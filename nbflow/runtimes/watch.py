"""Waits for processes to end, children or not, without polling where the system can tell.

Linux tells through a pidfd, macOS and the BSDs through kqueue; where neither works we look every 50 ms.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
import time

_INTERVAL = 0.05


class ProcessWatch:
    """A set of processes, each with a name to report. Used from several threads: one waits, others add."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[str, int]] = {}  # pidfd (or pid) -> (name, pid)
        self._lock = threading.Lock()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._source = _source()
        self._source.register(self._wake_read)

    def add(self, name: str, pid: int) -> bool:
        """Watch a process. False if there is no such process any more."""
        with self._lock:
            handle = self._source.open(pid)
            if handle is None:
                return False
            self._names[handle] = (name, pid)
            self._source.watch(handle)
        return True

    def wake(self) -> None:
        """Make a waiting call return."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"x")

    def wait(self, seconds: float) -> list[str]:
        """Names of processes that ended, each once; waits for the first, at most so long. Reaps our children."""
        ended: list[str] = []
        for handle in self._source.wait(max(0.0, seconds)):
            if handle == self._wake_read:
                with contextlib.suppress(BlockingIOError):
                    os.read(handle, 4096)
                continue
            with self._lock:
                name, pid = self._names.pop(handle, ("", 0))
                self._source.close(handle)
            if name:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
                ended.append(name)
        return ended


class _Polling:
    """Any system: look at each process now and then."""

    def __init__(self) -> None:
        self._wake = -1
        self._pids: set[int] = set()

    def register(self, wake: int) -> None:
        self._wake = wake

    def open(self, pid: int) -> int | None:
        return pid if _lives(pid) else None

    def watch(self, handle: int) -> None:
        self._pids.add(handle)

    def close(self, handle: int) -> None:
        self._pids.discard(handle)

    def wait(self, seconds: float) -> list[int]:
        end = time.monotonic() + seconds
        while True:
            gone = [pid for pid in tuple(self._pids) if not _lives(pid)]
            left = end - time.monotonic()
            if gone or left <= 0:
                return gone
            if select.select([self._wake], [], [], min(left, _INTERVAL))[0]:
                return [self._wake]


def _lives(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if sys.platform == "linux":

    class _PidFds:
        """Linux: a pidfd becomes readable when its process ends."""

        def __init__(self) -> None:
            os.close(os.pidfd_open(os.getpid()))  # OSError where the kernel (or a filter) has none
            self._epoll = select.epoll()

        def register(self, wake: int) -> None:
            self._epoll.register(wake, select.EPOLLIN)

        def open(self, pid: int) -> int | None:
            with contextlib.suppress(ProcessLookupError):
                return os.pidfd_open(pid)
            return None

        def watch(self, handle: int) -> None:
            self._epoll.register(handle, select.EPOLLIN)

        def close(self, handle: int) -> None:
            self._epoll.unregister(handle)
            os.close(handle)

        def wait(self, seconds: float) -> list[int]:
            return [handle for handle, _ in self._epoll.poll(seconds)]

    def _source() -> _PidFds | _Polling:
        try:
            return _PidFds()
        except (OSError, AttributeError):
            return _Polling()

elif hasattr(select, "kqueue"):

    class _Kqueue:
        """macOS: the kernel tells of the end of any process of ours."""

        def __init__(self) -> None:
            self._queue = select.kqueue()
            self._wake = -1

        def register(self, wake: int) -> None:
            self._wake = wake
            self._control(wake, select.KQ_FILTER_READ, select.KQ_EV_ADD, 0)

        def open(self, pid: int) -> int | None:
            with contextlib.suppress(ProcessLookupError):
                self._control(
                    pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD | select.KQ_EV_ONESHOT, select.KQ_NOTE_EXIT
                )
                return -pid  # apart from file descriptors
            return None

        def watch(self, handle: int) -> None:
            """Done by open: kqueue does both at once."""

        def close(self, handle: int) -> None:
            """One shot: nothing is left."""

        def wait(self, seconds: float) -> list[int]:
            events = self._queue.control(None, 64, seconds)
            return [e.ident if e.filter == select.KQ_FILTER_READ else -e.ident for e in events]

        def _control(self, ident: int, kind: int, flags: int, fflags: int) -> None:
            self._queue.control([select.kevent(ident, kind, flags, fflags)], 0)

    def _source() -> _Kqueue | _Polling:
        return _Kqueue()

else:

    def _source() -> _Polling:
        return _Polling()
