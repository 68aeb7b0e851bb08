"""Starts a pod's program under its wrapper, detached from us.

The wrapper is plain sh: a Python one costs thirteen times as much. It is the leader of a session of its own, holds the
lock on the status file (descriptor 3), starts the program, waits, and writes the exit code as its last act.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from nbflow.runtimes.runtime import PodRejected
from nbflow.spec.pod import Pod

GRACE = 30.0
"""Seconds between SIGTERM and SIGKILL when a deadline has passed, as Kubernetes grants them."""

STATUS, ARGUMENTS, NAMESPACE, PIPES = 3, 4, 5, ((6, 7), (8, 9))
"""Descriptors of the wrapper: the status file, what the program reads its own arguments from, a user namespace
to enter, and pipes (write, read) through which output may have to go on its way to the log."""

_MAX_ARGUMENT = 128 * 1024


@dataclass(frozen=True, slots=True)
class Launch:
    """What to run. argv: program and arguments, found without PATH. env: all of its environment.

    arguments: bytes the program finds on descriptor ARGUMENTS. namespace: what it gets as NAMESPACE, -1 for none.
    own_session: the program makes a session of its own; else its processes share the group of the wrapper.
    working_dir: where it starts, "" for where we are. moved: a word of the manifest as the program is to be told it.
    """

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    arguments: bytes | None = None
    namespace: int = -1
    own_session: bool = False
    working_dir: str = ""
    moved: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class Streams:
    """Where output goes. log: both streams. result: stdout besides, "" for nowhere. status: the status file.

    piped: the program opens /dev/stdout or /dev/stderr by name. In a container that is a pipe; a file would be cut off.
    """

    log: str
    status: str
    result: str = ""
    piped: bool = False

    @property
    def helpers(self) -> tuple[str, ...]:
        """The commands that read the pipes, one each."""
        tee = (f"{_program('tee')} {shlex.quote(self.result)}",) if self.result else ()
        return (*tee, _program("cat")) if self.piped else tee

    @property
    def redirections(self) -> str:
        """How main gets its output."""
        if not self.piped:
            return ">&6" if self.result else ""
        return ">&6 2>&8" if self.result else ">&6 2>&6"


def opens_streams(pod: Pod) -> bool:
    """Whether main names its streams as files."""
    texts = (*pod.main.command, *pod.main.args, pod.main.source or "")
    return any("/dev/std" in text or "/fd/" in text for text in texts)


def spawn(launch: Launch, status: int, streams: Streams, deadline: float | None) -> int:
    """Start the wrapper; its pid. `status`: the locked status file, ours to close. deadline: seconds main may run."""
    script = wrapper(launch.own_session, streams, deadline)
    if launch.working_dir:
        script = f"cd {shlex.quote(launch.working_dir)} || exit\n{script}"
    argv = ["sh", "-c", script, "nbflow-pod", *launch.argv]
    opened: list[int] = []
    try:
        actions = _actions(launch, status, streams, opened)
        return os.posix_spawn("/bin/sh", argv, dict(launch.env), file_actions=actions, setsid=True)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise PodRejected(f"cannot start the pod: {reason}", fix=_spawn_fix(launch.argv)) from error
    finally:
        for fd in opened:
            os.close(fd)


def wrapper(own_session: bool, streams: Streams, deadline: float | None) -> str:
    """The text of the wrapper, with no more in it than this pod needs.

    Its helpers give up the lock (3) and the pipes, so that neither outlives the wrapper with them.
    """
    used = [str(fd) for pipe in PIPES[: len(streams.helpers)] for fd in pipe]
    shut = " ".join(f"{fd}>&-" for fd in ("3", *used))
    program = f'"$@" {streams.redirections} {shut}'
    readers = zip(streams.helpers, PIPES, strict=False)
    drain = f"exec {' '.join(f'{fd}>&-' for fd in used)}\nwait $h\n" if used else ""
    begin, end = 'h=\necho "pid $$">&3\n', 'echo "exit $c">&3\n'
    if own_session:
        watcher = _watcher(_SIGNAL_SESSION, streams, deadline, shut)
        helpers = "".join(f'{helper} <&{read} {shut} & h="$h $!"\n' for helper, (_, read) in readers)
        kill = "kill -KILL 0\n" if deadline is not None else ""
        return f"{begin}{watcher}{helpers}{program}\nc=$?\n{drain}{end}{kill}"
    helpers = "".join(f'{helper} <&{read} {shut} & h="$h $!"\n' for helper, (_, read) in readers)
    if helpers:  # from their first moment they outlive what ends main
        helpers = f"trap '' TERM\n{helpers}trap - TERM\n"
    watcher = _watcher(_SIGNAL_GROUP, streams, deadline, shut)
    start = f'{program} <&0 & m=$!\ntrap : TERM\necho "main $m">&3\n'
    wait = "while :; do wait $m; c=$?; kill -0 $m || break; done 2>/dev/null\ntrap '' TERM\n"
    kill = "kill -TERM 0\n" if used else ""
    return f"{begin}{helpers}{start}{watcher}{wait}{kill}{drain}{end}kill -KILL 0\n"


_SIGNAL_SESSION = """\
signal() {
read -r cs </proc/$$/task/$$/children
for c in $cs; do is=; read -r is </proc/$c/task/$c/children; for i in $is; do kill -s $1 -- -$i; done; done
}"""
"""The program's session is a grandchild of ours: bubblewrap stands between. kill fails for other grandchildren."""

_SIGNAL_GROUP = """\
signal() { if [ $1 = TERM ]; then kill -TERM 0; else kill -KILL $m; fi; }"""


def _watcher(signal: str, streams: Streams, deadline: float | None, shut: str) -> str:
    if deadline is None:
        return ""
    sleep, status = _program("sleep"), shlex.quote(streams.status)
    return (
        f"(trap '' TERM\n{signal}\n{sleep} {deadline:.3f}; kill -0 $$ || exit\necho deadline >>{status}\n"
        f"signal TERM; {sleep} {GRACE}; kill -0 $$ && signal KILL) </dev/null >/dev/null 2>&1 {shut} &\n"
    )


def _actions(launch: Launch, status: int, streams: Streams, opened: list[int]) -> list[tuple[int, ...]]:
    def keep(fd: int) -> int:
        opened.append(fd)
        return fd

    def above(fd: int) -> int:  # out of the way of the numbers that we hand out
        return keep(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20))

    log = keep(os.open(streams.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))
    log = above(log)
    numbers = [(above(_null()), 0), (log, 1), (log, 2), (above(status), STATUS)]
    if launch.arguments is not None:
        numbers.append((above(keep(memory(launch.arguments))), ARGUMENTS))
    if launch.namespace >= 0:
        numbers.append((above(launch.namespace), NAMESPACE))
    for at_write, at_read in PIPES[: len(streams.helpers)]:
        read, write = os.pipe()
        numbers += [(above(keep(write)), at_write), (above(keep(read)), at_read)]
    return [(os.POSIX_SPAWN_DUP2, source, target) for source, target in numbers]


def memory(data: bytes) -> int:
    """A file with this content that is nowhere on a disk."""
    fd = os.memfd_create("nbflow-pod")
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


@cache
def _null() -> int:
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


@cache
def _program(name: str) -> str:
    found = shutil.which(name, path="/usr/bin:/bin:/usr/local/bin") or shutil.which(name)
    return found or name


def _spawn_fix(argv: Sequence[str]) -> str:
    if any(len(argument) >= _MAX_ARGUMENT for argument in argv):
        return "an argument is longer than 128 KiB: hand it over as an artifact or in a file"
    return ""
