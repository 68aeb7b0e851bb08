"""One container as a process: started, signalled, its output led to its log."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
import time

from nbflow.supervisor.plan import CONTAINER_ARGUMENTS, NAMESPACE, PROCESSES, ContainerPlan


class Process:
    """A container that runs, or ran. pid: of the process that we started; code: its exit code once it ended."""

    def __init__(self, plan: ContainerPlan) -> None:
        self.plan = plan
        self.code: int | None = None
        self.pid = 0
        self._threads: list[threading.Thread] = []

    def start(self, processes: int = -1) -> None:
        """Raises OSError if it cannot be started. processes: the namespace that it joins, a descriptor; -1 for none."""
        plan = self.plan
        log = os.open(plan.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        opened = [log, null]
        numbers = [(null, 0), (log, 1), (log, 2)]
        readers: list[tuple[int, list[int]]] = []
        try:
            if plan.piped or plan.result:
                sinks = [plan.log, *([plan.result] if plan.result else [])]
                numbers[1] = (self._pipe(opened, readers, sinks), 1)
            if plan.piped:
                numbers[2] = (self._pipe(opened, readers, [plan.log]), 2)
            if plan.arguments is not None:
                numbers.append((self._memory(opened, plan.arguments), CONTAINER_ARGUMENTS))
            if plan.namespace:
                numbers.append((NAMESPACE, NAMESPACE))
            if processes >= 0:
                numbers.append((processes, PROCESSES))
            self.pid = self._spawn(numbers, opened)
        finally:
            for fd in opened:
                os.close(fd)
            for read, sinks_of in readers:
                thread = threading.Thread(target=_copy, args=(read, sinks_of), daemon=True)
                thread.start()
                self._threads.append(thread)

    def _spawn(self, numbers: list[tuple[int, int]], opened: list[int]) -> int:
        moved = []
        for source, target in numbers:  # out of the way of the numbers that we hand out
            high = fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, 20)
            opened.append(high)
            moved.append((os.POSIX_SPAWN_DUP2, high, target))
        argv = list(self.plan.argv)
        if self.plan.cwd:
            argv = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', self.plan.cwd, *argv]
        ignored = [signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD]
        return os.posix_spawnp(
            argv[0], argv, self.plan.env, file_actions=moved, setsid=True, setsigmask=[], setsigdef=ignored
        )

    @staticmethod
    def _pipe(opened: list[int], readers: list[tuple[int, list[int]]], sinks: list[str]) -> int:
        read, write = os.pipe()
        opened.append(write)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        readers.append((read, [os.open(sink, flags, 0o600) for sink in sinks]))
        return write

    @staticmethod
    def _memory(opened: list[int], text: str) -> int:
        fd = os.memfd_create("nbflow-container")
        opened.append(fd)
        view = memoryview(text.encode("utf-8", "surrogateescape"))
        while view:
            view = view[os.write(fd, view) :]
        os.lseek(fd, 0, os.SEEK_SET)
        return fd

    @property
    def alive(self) -> bool:
        """Whether it was started and did not end."""
        return self.pid > 0 and self.code is None

    def ended(self, status: int) -> None:
        """It was waited for."""
        code = os.waitstatus_to_exitcode(status)
        self.code = code if code >= 0 else 128 - code
        for thread in self._threads:
            thread.join(2.0)

    def signal(self, signum: int) -> None:
        """To all of its processes. Bubblewrap itself is spared, so that it tells the exit code."""
        if not self.alive:
            return
        group = self.inner_pid() if self.plan.entered else self.pid
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if group:
                os.killpg(group, signum)
            elif signum == signal.SIGKILL:
                os.kill(self.pid, signum)

    def namespace(self) -> int:
        """A descriptor of the namespace of its processes; -1 if it has none, or one that we may not enter."""
        inner = self.inner_pid() if self.plan.namespace else 0
        with contextlib.suppress(OSError):
            return os.open(f"/proc/{inner}/ns/pid", os.O_RDONLY | os.O_CLOEXEC) if inner else -1
        return -1

    def inner_pid(self) -> int:
        """The first process inside of bubblewrap, which leads their session; 0 if it does not come."""
        end = time.monotonic() + 1.0
        while self.alive and time.monotonic() < end:
            for inner in _children(self.pid)[:1]:
                if _children(inner):
                    return inner
            time.sleep(0.005)
        return 0


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]
    return []


def _copy(read: int, sinks: list[int]) -> None:
    while data := os.read(read, 65536):
        for sink in sinks:
            with contextlib.suppress(OSError):
                os.write(sink, data)
    for fd in (read, *sinks):
        os.close(fd)
