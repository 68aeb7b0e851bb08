"""Start the controller of a home, in the background and beside the caller's own work.

Two steps, since most of a start is imports. `prepare` starts a process that imports and then waits on a pipe: it
has touched nothing yet, and goes away if the pipe closes. `ensure` rings the bell of the controller that runs, or
tells the prepared one to go. Once it holds the lock and listens, it forks and its parent ends with 0: the exit code
of that parent is how a failed start is noticed.

Imports little, so that a command line can prepare before it loads anything else.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

import nbflow
from nbflow.errors import NbflowError
from nbflow.store.home import Home
from nbflow.store.presence import FAILED_START, controller_of, is_listening, ring

if TYPE_CHECKING:
    from nbflow.store import Store

HANDOVER = "handover"

_START_SECONDS = 30.0
_HANDOVER_SECONDS = 20.0
_AGAIN_AND_AGAIN = -1000
_MOST_STARTS, _STARTS_WITHIN = 3, 60.0


@cache
def starter_of(home: Home) -> Starter:
    """The one starter of a home in this process."""
    return Starter(home)


class Starter:
    """Sees that a controller runs for a home. Any thread may call it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = RLock()
        self._child = 0
        self._dismissed: list[int] = []
        self._go = -1
        self._errors = -1
        self._asked_at = 0.0
        self._starts: list[float] = []

    def prepare(self) -> None:
        """Begin the slow part of a start, if one will be needed. Leaves no trace if nothing follows."""
        with self._lock:
            self._reap()
            if not self._child and not is_listening(self._home):
                self._spawn()

    def ensure(self, store: Store) -> None:
        """A controller takes in what was stored before this call. Raises NbflowError if none can be started."""
        with self._lock:
            self._reap()
            if self._retire_older(store):
                ring(self._home)
                self.close()
                return
            self.check()
            if not self._child:
                self._spawn()
            self._say_go()

    def check(self) -> None:
        """Raises NbflowError if the controller that we started could not."""
        with self._lock:
            if not self._child or self._go >= 0:
                return
            status = self._exit_status()
            if status is None:
                if time.monotonic() - self._asked_at > _START_SECONDS:
                    where = str(self._home.controller_log)
                    raise NbflowError(
                        "the controller does not come up", where=where, fix="run `nbflow doctor`"
                    )
                return
            said = self._read_errors()
            self._child = 0
            if status != 0:
                raise _failed_start(self._home, status, said)

    def close(self) -> None:
        """Let a prepared process go that was not needed."""
        with self._lock:
            if self._go < 0:
                return
            os.close(self._go)
            self._go = -1
            self._close_errors()
            self._dismissed.append(self._child)
            self._child = 0

    def _reap(self) -> None:
        """Take note of the end of those that were let go: in a kernel that lives for days they would add up."""
        for child in tuple(self._dismissed):
            with suppress(ChildProcessError):
                if os.waitpid(child, os.WNOHANG) == (0, 0):
                    continue
            self._dismissed.remove(child)

    def _say_go(self) -> None:
        if self._go < 0:
            return
        now = time.monotonic()
        self._starts = [at for at in self._starts if now - at < _STARTS_WITHIN]
        if len(self._starts) >= _MOST_STARTS:  # one that dies again and again is not started for ever
            raise _failed_start(self._home, _AGAIN_AND_AGAIN, "")
        self._starts.append(now)
        self._asked_at = now
        with suppress(BrokenPipeError):
            os.write(self._go, b"go\n")
        os.close(self._go)
        self._go = -1

    def _retire_older(self, store: Store) -> bool:
        """Whether a controller listens that is not older than we are. An older one is asked to end first."""
        if not is_listening(self._home):
            return False
        running = controller_of(self._home)
        if running is None or not _is_older(running.version, nbflow.__version__):
            return True
        store.request(None, HANDOVER, {"version": nbflow.__version__})
        ring(self._home)
        end = time.monotonic() + _HANDOVER_SECONDS
        while is_listening(self._home):
            if time.monotonic() > end:
                return True  # it is busy, and does the work as well as it can
            time.sleep(0.01)
        return False

    def _spawn(self) -> None:
        go_reader, self._go = os.pipe()
        self._errors, errors_writer = os.pipe()
        # -P: a random.py or yaml.py in the folder of the notebook is no module of the controller's.
        program = [sys.executable, "-P", "-m", "nbflow.controller"]
        command = [*program, "--home", str(self._home.root), "--wait-for-go"]
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._child = _spawn_session(command, [(go_reader, 0), (null, 1), (errors_writer, 2)])
        finally:
            for descriptor in (go_reader, errors_writer, null):
                os.close(descriptor)

    def _exit_status(self) -> int | None:
        """How the process that we started ended, None while it has not."""
        try:
            ended, status = os.waitpid(self._child, os.WNOHANG)
        except ChildProcessError:  # somebody else took note of its end
            return 0
        return os.waitstatus_to_exitcode(status) if ended else None

    def _read_errors(self) -> str:
        os.set_blocking(self._errors, False)
        try:
            return os.read(self._errors, 65536).decode(errors="replace")
        except BlockingIOError:
            return ""
        finally:
            self._close_errors()

    def _close_errors(self) -> None:
        os.close(self._errors)
        self._errors = -1


def _spawn_session(command: list[str], files: list[tuple[int, int]]) -> int:
    """Start a process in a session of its own, so that no terminal's signal reaches it."""
    actions = [(os.POSIX_SPAWN_DUP2, source, target) for source, target in files]
    try:
        return os.posix_spawn(command[0], command, _environment(), file_actions=actions, setsid=True)
    except NotImplementedError:  # the controller itself calls setsid first thing
        return os.posix_spawn(command[0], command, _environment(), file_actions=actions)


def _environment() -> dict[str, str]:
    """Ours, with nbflow importable from anywhere: it may have been found through the current folder."""
    folder = Path(nbflow.__file__).absolute().parent.parent
    if folder.name in ("site-packages", "dist-packages"):
        return dict(os.environ)
    path = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(folder), path)))}


def _failed_start(home: Home, code: int, said: str) -> NbflowError:
    """said: what an NbflowError said, if the exit code tells that there was one. A traceback is for the log."""
    if code == FAILED_START and said.strip():
        return NbflowError(f"the controller could not start: {said.strip()}", where=str(home.root))
    reason = "it ended again and again" if code == _AGAIN_AND_AGAIN else f"exit code {code}"
    return NbflowError(
        f"the controller could not start: {reason}",
        where=str(home.controller_log),
        fix="run `nbflow doctor`; that log has the details",
    )


def _is_older(version: str, than: str) -> bool:
    return bool(version) and _numbers(version) < _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("+", maxsplit=1)[0].split(".") if part.isdigit())
