"""What a pod leaves on the disk while it runs and after: its folder and its status file.

The status file tells all that must outlive a controller, one line a fact, appended by single writes:
`start TIME`, `mount PATH SOURCE` and `limited CONTAINER` (by the controller), `pid N` (by the wrapper, its own),
`main N` (host only), `deadline` (by the wrapper's watcher), `kill TIME` (by the controller: when SIGKILL follows),
`exit N` (by the wrapper, at the end), `message TEXT` (why nothing could run).
Where a supervisor is the wrapper (supervisor/): `supervised` (by the controller), `container NAME CODE`,
`again NAME CODE` (it ended and is started again), `init NAME CODE` (it failed), `reason NAME TEXT` (why it was ended),
`evicted TEXT`, `ready ADDRESS` (of a daemon).

The wrapper holds a lock on this file from its first moment to its last, so whether it lives is asked of the
lock: no process id that was used again and no reboot can fool it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime

from nbflow.runtimes.runtime import PodStatus, RuntimeUnavailable

_LARGEST = 1024 * 1024


@dataclass(slots=True)
class Record:
    """The status file, read. alive: the wrapper lives. Times in seconds since 1970; `written`: its last line came."""

    alive: bool = False
    started: float | None = None
    written: float = 0.0
    pid: int | None = None
    main: int | None = None
    deadline: bool = False
    kill: float | None = None
    exit_code: int | None = None
    message: str = ""
    mounts: dict[str, str] = field(default_factory=dict)
    supervised: bool = False
    containers: dict[str, int] = field(default_factory=dict)
    restarted: dict[str, int] = field(default_factory=dict)
    failed_init: tuple[str, int] | None = None
    ready: str = ""
    evicted: str = ""
    reasons: dict[str, str] = field(default_factory=dict)
    limited: list[str] = field(default_factory=list)

    @property
    def created(self) -> bool:
        """Whether the pod was started; not if its controller died just before."""
        return self.alive or self.pid is not None or self.exit_code is not None


@dataclass(frozen=True, slots=True)
class PodFolder:
    """The files of one pod: `root` is the pod's own part of its file system, `result` main's stdout alone.

    container: "" for main; each other one has a root of its own. volumes: what containers share, and their secrets.
    """

    path: str
    container: str = ""

    @property
    def name(self) -> str:
        """The pod's name."""
        return os.path.basename(self.path)

    @property
    def root(self) -> str:
        """What is `/` for the pod."""
        return f"{self.path}/root.{self.container}" if self.container else f"{self.path}/root"

    @property
    def volumes(self) -> str:
        """The volumes that live and die with the pod, one folder each."""
        return f"{self.path}/volumes"

    @property
    def status_file(self) -> str:
        """See the head of this module."""
        return f"{self.path}/status"

    @property
    def result(self) -> str:
        """Stdout of main, if it is wanted as outputs.result."""
        return f"{self.path}/result"

    @property
    def last_words(self) -> str:
        """Where a termination log is kept whose path in the pod is a place of devices."""
        return f"{self.path}/termination-log.{self.container}"

    @property
    def hosts(self) -> str:
        """/etc/hosts of a pod that has one of its own."""
        return f"{self.path}/hosts.{self.container}"

    def create(self) -> int | None:
        """A new locked status file, as a file descriptor; None if the pod exists (runs, or ended).

        One that was never started, because its controller died in between, does not exist.
        """
        while True:
            with contextlib.suppress(FileExistsError):
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
                fd = os.open(self.status_file, flags, 0o600)
                _lock(fd, fcntl.LOCK_EX)
                return fd
            if self.exists():
                return None
            os.unlink(self.status_file)

    def kill_at(self, moment: float) -> None:
        """Write down when SIGKILL is due, in seconds since 1970: a controller that comes later sends it."""
        with contextlib.suppress(FileNotFoundError):  # the pod was forgotten meanwhile
            fd = os.open(self.status_file, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                os.write(fd, f"kill {moment:.3f}\n".encode())
            finally:
                os.close(fd)

    def exists(self) -> bool:
        """Whether the pod was started, ever."""
        record = self.read()
        return record is not None and record.created

    def alive(self) -> bool:
        """Whether the wrapper lives, also one that has not yet written its pid."""
        try:
            fd = os.open(self.status_file, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return _held(fd)
        finally:
            os.close(fd)

    def read(self) -> Record | None:
        """What the status file says, None if there is none. A line without its end does not count."""
        try:
            fd = os.open(self.status_file, os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            alive = _held(fd)  # before reading: what a wrapper wrote last is then surely read
            record = Record(alive=alive, written=os.fstat(fd).st_mtime)
            text = os.read(fd, _LARGEST).decode("utf-8", "replace")
        finally:
            os.close(fd)
        for line in text.split("\n")[:-1]:
            _take(record, line)
        return record

    def status(self) -> PodStatus | None:
        """How the pod stands, None if it was never started."""
        record = self.read()
        if record is None or not record.created:
            return None
        return PodStatus(
            name=self.name,
            started_at=_time(record.started),
            finished_at=None if record.alive else _time(record.written),
            exit_code=record.exit_code,
            finished=not record.alive,
            vanished=not record.alive and record.exit_code is None and not record.deadline,
            deadline_exceeded=record.deadline,
            message=record.message,
            ip=record.ready,
            ready=bool(record.ready),
            containers=record.containers,
            restarted=record.restarted,
            failed_init=record.failed_init,
            evicted=record.evicted,
            reasons=record.reasons,
            limited=tuple(record.limited),
        )


def _held(fd: int) -> bool:
    """Whether a wrapper holds the lock. A shared one is enough to see, and disturbs nobody else who looks."""
    if not _lock(fd, fcntl.LOCK_SH):
        return True
    fcntl.flock(fd, fcntl.LOCK_UN)
    return False


def _lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise RuntimeUnavailable(
            f"files cannot be locked here: {error.strerror}",
            fix="set NBFLOW_HOME to a folder on a local disk",
        ) from error
    return True


def _take(record: Record, line: str) -> None:
    fact, _, value = line.partition(" ")
    match fact:
        case "start":
            record.started = float(value)
        case "pid":
            record.pid = int(value)
        case "main":
            record.main = int(value)
        case "deadline":
            record.deadline = record.exit_code is None
        case "kill":
            record.kill = float(value)
        case "exit":
            record.exit_code = int(value)
        case "message":
            record.message = value
        case "mount":
            path, _, source = value.partition("\t")
            record.mounts[path] = source
        case _:
            _take_of_supervisor(record, fact, value)


def _take_of_supervisor(record: Record, fact: str, value: str) -> None:
    match fact:
        case "supervised":
            record.supervised = True
        case "container" | "again":
            name, _, code = value.rpartition(" ")
            codes = record.containers if fact == "container" else record.restarted
            codes[name] = int(code)
        case "init":
            name, _, code = value.rpartition(" ")
            record.failed_init = name, int(code)
        case "ready":
            record.ready = value
        case "limited":
            record.limited.append(value)
        case "evicted":
            record.evicted = value
        case "reason":
            name, _, text = value.partition(" ")
            record.reasons[name] = text


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
