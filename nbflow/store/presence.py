"""Whether a controller runs, which one, and how to wake it: a locked file and a named pipe.

The order of steps is what keeps a submit from being lost. A client stores first and rings after. A controller
that wants to end takes its bell down first, then looks into the store once more, and only then lets go of the
lock. So either it sees what was stored, or the client hears that nobody answers the bell and starts another.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from nbflow.store.home import Home

FAILED_START = 3
"""Exit code of a controller that could not start; why is on its standard error."""

_SIGNATURE_SIZE = 2048
_LONGEST_TROUBLE = 200


@dataclass(frozen=True, slots=True)
class Controller:
    """A controller that holds a home. started: seconds since the epoch. trouble: why it cannot go on, "" if it can."""

    pid: int
    version: str
    host: str
    started: float
    trouble: str = ""


class Lock:
    """Makes the controller of a home single. The system drops it when the process ends, however it ends."""

    def __init__(self, home: Home) -> None:
        self._path = home.controller_lock
        self._descriptor = -1
        self._signature: dict[str, object] = {}

    def take(self) -> bool:
        """Take it if it is free. The file is never removed: its inode is what is locked."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)  # what the one before us said of itself
        self._descriptor = descriptor
        return True

    def sign(self, version: str) -> None:
        """Say who holds it."""
        self._signature = {
            "pid": os.getpid(),
            "version": version,
            "host": os.uname().nodename,
            "started": time.time(),
        }
        self.complain("")

    def complain(self, trouble: str) -> None:
        """Say why the controller cannot go on, "" once it can. Overwrites in place: that works on a full disk, too."""
        text = json.dumps({**self._signature, "trouble": trouble[:_LONGEST_TROUBLE]})
        with suppress(OSError):
            os.pwrite(self._descriptor, text.encode().ljust(_SIGNATURE_SIZE), 0)

    def still_ours(self) -> bool:
        """False once the home was removed or replaced under us."""
        try:
            there = self._path.stat()
        except OSError:
            return False
        ours = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def release(self) -> None:
        """Let go of it."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1


def controller_of(home: Home) -> Controller | None:
    """The controller that holds the home now, None if none does."""
    try:
        descriptor = os.open(home.controller_lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except OSError:
        return _signature(os.pread(descriptor, 4096, 0))
    finally:
        os.close(descriptor)


def _signature(text: bytes) -> Controller:
    try:
        data = json.loads(text)
        return Controller(
            int(data["pid"]),
            str(data["version"]),
            str(data["host"]),
            float(data["started"]),
            str(data.get("trouble", "")),
        )
    except (ValueError, KeyError, TypeError):
        return Controller(0, "", os.uname().nodename, time.time())


class Bell:
    """The controller's end of the named pipe. Whoever opens it for writing knows that somebody reads."""

    def __init__(self, home: Home) -> None:
        self._path = home.controller_bell
        with suppress(FileExistsError):
            os.mkfifo(self._path, 0o600)
        # Our own writing end keeps the pipe from reporting its end each time a client has rung, and wakes us.
        self._reader = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._writer = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def wait(self, timeout: timedelta) -> bool:
        """Whether somebody rang within `timeout`. Rings that came close together count as one."""
        ready, _, _ = select.select([self._reader], [], [], timeout.total_seconds())
        if not ready:
            return False
        with suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass
        return True

    def ring(self) -> None:
        """Wake our own waiting thread."""
        with suppress(BlockingIOError):
            os.write(self._writer, b"!")

    def take_down(self) -> None:
        """From now on whoever rings learns that nobody is there."""
        os.close(self._reader)
        os.close(self._writer)


def ring(home: Home) -> bool:
    """Wake the controller of a home. False if none listens."""
    try:
        descriptor = os.open(home.controller_bell, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.write(descriptor, b"!")
    except BlockingIOError:
        return True  # full of rings that it did not hear yet
    except BrokenPipeError:
        return False
    finally:
        os.close(descriptor)
    return True


def is_listening(home: Home) -> bool:
    """Whether a controller would hear the bell; does not ring it."""
    try:
        os.close(os.open(home.controller_bell, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:
        return False
    return True
