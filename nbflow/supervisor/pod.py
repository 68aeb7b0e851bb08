"""The life of a pod: init containers one by one, then all others, until those that count have ended.

One thread looks after the processes: signals come in by a pipe, times by its timeout. What others have to know goes
to the status file (runtimes/folder.py): `pid`, `container NAME CODE`, `ready ADDRESS`, `deadline`, `exit`, ...
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import signal
import threading
import time
from collections.abc import Callable
from functools import partial

from nbflow.supervisor.asking import answers
from nbflow.supervisor.network import Network
from nbflow.supervisor.plan import ALWAYS, ON_FAILURE, PLAN, SKIPPED, STATUS, ContainerPlan, Plan, read_plan
from nbflow.supervisor.probes import Health
from nbflow.supervisor.process import Process
from nbflow.supervisor.usage import watch_usage

_LONGEST_BACKOFF = 30.0
_TURN = 5.0


def main() -> None:
    """Supervise the pod, and tell its exit code as the last act."""
    os.set_inheritable(STATUS, False)
    data = b""
    while chunk := os.read(PLAN, 1 << 20):
        data += chunk
    os.close(PLAN)
    tell(f"pid {os.getpid()}")
    plan = read_plan(data)
    try:
        code = Supervisor(plan).run()
    except OSError as error:
        tell(f"message the pod could not be set up: {error.strerror}: {error.filename or ''}")
        code = 1
    tell(f"exit {code}")
    os._exit(0)  # threads that still move bytes are of no use any more


def tell(line: str) -> None:
    """Add a line to the status file."""
    os.write(STATUS, f"{line}\n".encode())


class Supervisor:
    """One pod, from its start to its end."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._counting = [c for c in plan.containers if c.name not in plan.sidecars]
        self._processes: dict[str, Process] = {}
        self._codes: dict[str, int] = {}
        self._attempts: dict[str, int] = {}
        self._due: list[tuple[float, str]] = []  # containers to start again
        self._stopped = False
        self._kill_at: float | None = None
        self._kills: dict[str, float] = {}  # container -> when it is killed, whatever becomes of the others
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()  # by other threads
        self._deadline_at: float | None = None
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._network: Network | None = None
        self._is_ready = False
        self._reasons: dict[str, str] = {}  # container -> why it was ended

    def run(self) -> int:
        """Until all is over; the exit code of the pod."""
        self._network = Network(self._plan)
        signal.set_wakeup_fd(self._wake_write)
        signals = (signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD)
        for signum in signals:
            signal.signal(signum, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)  # blocked by who started us
        try:
            if not self._initialize():
                return self._finish()
            self._start_all()
            while not self._over():
                self._turn()
            return self._finish()
        finally:
            self._network.close()

    # --- init containers ---

    def _initialize(self) -> bool:
        """Run the init containers; False if one failed. One that restarts always stays, as a sidecar does."""
        for container in self._plan.init:
            self._start(container)
            if container.restart == ALWAYS:
                continue
            while container.name not in self._codes:
                self._turn()
            if self._codes[container.name]:
                tell(f"init {container.name} {self._codes[container.name]}")
                return False
            if self._stopped:
                return False
        return True

    # --- all others ---

    def _start_all(self) -> None:
        if self._plan.deadline is not None:
            self._deadline_at = time.monotonic() + self._plan.deadline
        for container in self._sidecars():
            self._start(container)
        self._start_free()
        watch_usage(self._plan.limits, lambda message: self._later(partial(self._evict, message)))

    def _ready(self) -> None:
        """Main of a daemon is; said once, though it may start again."""
        assert self._network is not None
        if self._plan.daemon and not self._is_ready:
            self._is_ready = True
            self._network.show()
            tell(f"ready {self._network.address}")

    def _sick(self, process: Process, why: str, grace: float | None) -> None:
        """A hook or probe says that a container has to end. Called from another thread."""
        self._later(partial(self._end_sick, process, why, self._plan.grace if grace is None else grace))

    def _end_sick(self, process: Process, why: str, grace: float) -> None:
        name = process.plan.name
        if process.alive and self._processes.get(name) is process:
            _log(process.plan, f"Killing: {why}")
            self._reasons[name] = why
            self._ask_to_end(process, grace)
            self._kills[name] = time.monotonic() + grace

    def _evict(self, message: str) -> None:
        tell(f"evicted {message}")
        self._stop(1.0)

    def _later(self, call: Callable[[], None]) -> None:
        """Have the main thread do something."""
        self._asked.put(call)
        os.write(self._wake_write, b"\0")

    def _sidecars(self) -> list[ContainerPlan]:
        return [c for c in self._plan.containers if c.name in self._plan.sidecars]

    def _start_free(self) -> None:
        """Start what waits for nothing any more; what waits for a container that failed ends as well."""
        progress = True
        while progress:
            progress = False
            for container in self._counting:
                if container.name in self._processes or container.name in self._codes:
                    continue
                before = [self._codes.get(name) for name in container.after]
                if None in before and not any(before):
                    continue
                progress = True
                for name in container.after:
                    if code := self._codes.get(name):
                        why = f'dependency "{name}" exited with non-zero code: {code}'
                        self._reasons.setdefault(container.name, why)
                if self._stopped or any(before):
                    self._end(container.name, SKIPPED)
                else:
                    self._start(container)

    def _start(self, container: ContainerPlan) -> None:
        if container.missing:
            _log(container, f"Error: {container.missing}")
            self._reasons.setdefault(container.name, container.missing)
            self._end(container.name, SKIPPED)
            return
        process = self._processes[container.name] = Process(container)
        try:
            process.start()
        except OSError as error:
            _log(container, f"Error: cannot start the container: {error.strerror}")
            self._end(container.name, SKIPPED)
            return
        is_main = bool(self._counting) and container is self._counting[0]
        Health(container, process, self._ready if is_main else None, self._sick).watch()

    def _end(self, name: str, code: int) -> None:
        self._codes[name] = code
        tell(f"container {name} {code}")
        if name in self._reasons:
            tell(f"reason {name} {self._reasons[name]}")

    # --- turns ---

    def _turn(self) -> None:
        now = time.monotonic()
        times = [at for at, _ in self._due]
        times += [at for at in (self._kill_at, self._deadline_at, *self._kills.values()) if at is not None]
        wait = max(0.0, min(times, default=now + _TURN) - now)
        if select.select([self._wake_read], [], [], wait)[0]:
            for signum in os.read(self._wake_read, 512):
                self._signalled(signum)
        self._reap()
        self._timers()

    def _signalled(self, signum: int) -> None:
        if signum == signal.SIGTERM:
            self._stop(self._plan.grace)
        elif signum == signal.SIGUSR1:
            self._stop(0.0)
        elif signum == 0:
            with contextlib.suppress(queue.Empty):
                self._asked.get_nowait()()

    def _timers(self) -> None:
        now = time.monotonic()
        if os.fstat(STATUS).st_nlink == 0:  # the home was removed under us: leave nothing behind
            self._stop(0.0)
        if self._deadline_at is not None and now >= self._deadline_at:
            self._deadline_at = None
            tell("deadline")
            self._stop(self._plan.grace, hooks=True)
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            self._signal_all(signal.SIGKILL)
        for name in [name for name, at in self._kills.items() if at <= now]:
            del self._kills[name]
            self._processes[name].signal(signal.SIGKILL)
        ready = [name for at, name in self._due if at <= now]
        self._due = [(at, name) for at, name in self._due if at > now]
        for name in ready:
            if not self._stopped:
                self._start(next(c for c in self._all() if c.name == name))

    def _reap(self) -> None:
        """Take note of processes that ended."""
        for name, process in list(self._processes.items()):
            if not process.alive:
                continue
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(process.pid, os.WNOHANG)
                if pid:
                    if not process.plan.entered:
                        with contextlib.suppress(ProcessLookupError, PermissionError):
                            os.killpg(process.pid, signal.SIGKILL)
                    process.ended(status)
                    self._ended(name, process.code or 0)

    def _ended(self, name: str, code: int) -> None:
        self._kills.pop(name, None)
        container = next(c for c in self._all() if c.name == name)
        again = self._pause_before_next(container, code)
        if again is not None and not self._stopped:
            tell(f"again {name} {code}")
            self._due.append((time.monotonic() + again, name))
            return
        self._end(name, code)
        if container in self._counting:
            if code and not self._stopped:
                self._stop(self._plan.grace)  # one that failed ends the others, as in Argo
            self._start_free()

    def _pause_before_next(self, container: ContainerPlan, code: int) -> float | None:
        """Seconds until it is started again; None if it is not."""
        done = self._attempts[container.name] = self._attempts.get(container.name, 0) + 1
        if container.restart == ALWAYS or (container.restart == ON_FAILURE and code):
            return min(_LONGEST_BACKOFF, 0.5 * 2.0 ** (done - 1))
        if code and container in self._counting and done <= self._plan.retries:
            return self._plan.pause
        return None

    def _all(self) -> list[ContainerPlan]:
        return [*self._plan.init, *self._plan.containers]

    def _over(self) -> bool:
        return all(container.name in self._codes for container in self._counting)

    # --- the end ---

    def _stop(self, grace: float, *, hooks: bool = False) -> None:
        """End everything: SIGTERM, then SIGKILL. hooks: what the manifest wants done before (preStop) is done."""
        self._stopped = True
        for _, name in self._due:
            self._end(name, 143)
        self._due = []
        if grace > 0 and hooks:
            for process in self._processes.values():
                self._ask_to_end(process, grace)
        elif grace > 0:
            self._signal_all(signal.SIGTERM)
        due = time.monotonic() + grace
        self._kill_at = due if self._kill_at is None else min(due, self._kill_at)

    def _ask_to_end(self, process: Process, grace: float) -> None:
        """The hook before the end, beside the loop; then SIGTERM."""
        hook = process.plan.pre_stop

        def ask() -> None:
            answers(hook, process, grace)
            process.signal(signal.SIGTERM)

        if hook.kind and process.alive:
            threading.Thread(target=ask, daemon=True).start()
        else:
            process.signal(signal.SIGTERM)

    def _signal_all(self, signum: int) -> None:
        for process in self._processes.values():
            process.signal(signum)

    def _finish(self) -> int:
        """End what still runs beside; the exit code of main."""
        self._deadline_at = None
        self._stop(self._plan.grace)
        while any(process.alive for process in self._processes.values()):
            self._turn()
        codes = [self._codes.get(container.name, SKIPPED) for container in self._counting]
        failed = next((code for code in codes if code), 0)
        main = {c.name: code for c, code in zip(self._counting, codes, strict=True)}
        return main["main"] if main.get("main") else failed


def _log(container: ContainerPlan, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    fd = os.open(container.log, flags, 0o600)
    os.write(fd, f"{text}\n".encode("utf-8", "surrogateescape"))
    os.close(fd)
