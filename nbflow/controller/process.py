"""What makes a process the controller of a home: its own session, the lock, the bell, the log."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import nbflow
from nbflow.controller import garbage
from nbflow.controller.inbox import Inbox, Rang, StopAsked
from nbflow.controller.kubelet import Kubelet, Place
from nbflow.controller.loop import Loop
from nbflow.controller.rehearsal import build_reconciler, opened_runtime, rehearse
from nbflow.controller.removal import sweep
from nbflow.errors import NbflowError
from nbflow.store import Home, Store
from nbflow.store.connection import translated
from nbflow.store.ledger import Ledger
from nbflow.store.objects import ObjectStore
from nbflow.store.presence import FAILED_START, Bell, Lock, controller_of, is_listening
from nbflow.store.settings import Settings, read_settings

_log = logging.getLogger(__name__)

_LOCK_SECONDS = 10.0
_LARGEST_LOG = 4 << 20
_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def main(arguments: Sequence[str]) -> int:
    """`--home DIR [--wait-for-go] [--foreground]`. Exit code 0: a controller runs; else the reason is on stderr."""
    home = Home(Path(arguments[arguments.index("--home") + 1])) if "--home" in arguments else Home.default()
    foreground = "--foreground" in arguments
    if not foreground:
        _leave_terminal()
    try:
        rehearse(home)
    except Exception:  # noqa: BLE001 - what is wrong is found once more, where it is said
        _log.debug("the rehearsal failed", exc_info=True)
    garbage.spare()
    if "--wait-for-go" in arguments and not sys.stdin.buffer.readline():
        return 0
    try:
        return _start(home, foreground=foreground)
    except NbflowError as error:
        print(f"{error}", file=sys.stderr)  # noqa: T201 - the client that started us reads it
        return FAILED_START
    except Exception:  # the details are for the log; who started us learns of it by the exit code
        if foreground:
            raise
        with suppress(OSError):
            _write_to(home)
            logging.basicConfig(level=logging.INFO, format=_LOG_FORMAT)
            _log.exception("the controller could not start")
        return 1


def _leave_terminal() -> None:
    with suppress(PermissionError):  # we lead a session already
        os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o022)  # what images have; the folder of the home is closed to others anyway


def _start(home: Home, *, foreground: bool) -> int:
    settings = read_settings(home)
    Ledger(home).close()  # makes the home, or says why it cannot be used
    with translated(home):
        lock = Lock(home)
        if not _take(lock, home):
            if foreground:
                raise NbflowError(
                    "another controller runs already", where=str(home.root), fix="stop it first"
                )
            return 0
        bell = Bell(home)
    if not foreground:
        if os.fork():
            os._exit(0)  # whoever started us learns that a controller listens
        _write_to(home)
    os.chdir("/")
    lock.sign(nbflow.__version__)
    logging.basicConfig(level=logging.INFO, format=_LOG_FORMAT)
    try:
        serve(home, lock, bell, settings)
    except BaseException:  # noqa: BLE001 - the process ends here, and the log has to say why
        _log.exception("the controller failed")
        os._exit(1)
    # Lets go of the lock. Threads that still move files are not waited for: the next controller repeats what they do.
    os._exit(0)


def _take(lock: Lock, home: Home) -> bool:
    """False if another controller does the work. One that is just ending is waited for."""
    end = time.monotonic() + _LOCK_SECONDS
    while not lock.take():
        holder = controller_of(home)
        if is_listening(home):
            return False
        if holder is not None and holder.host != os.uname().nodename:
            return False  # its bell cannot be heard from here; it looks into the store now and then
        if time.monotonic() > end:
            pid = holder.pid if holder else 0
            raise NbflowError(
                f"another controller (pid {pid}) holds the home and does not answer",
                where=str(home.root),
                fix=f"kill {pid}",
            )
        time.sleep(0.005)
    return True


def serve(home: Home, lock: Lock, bell: Bell, settings: Settings) -> None:
    """Be the controller until there is nothing to do for a while. A submit that comes while we end is not lost."""
    with Ledger(home) as ledger, Store(home) as lookups:  # the second one for threads that stage pods
        inbox = Inbox()
        kubelet = Kubelet(inbox, settings.pod_slots, _opener(home, lookups.objects))

        def forget(target: str, pod: str) -> None:
            kubelet.place(target).runtime.forget_pod(pod, keep_root=False)

        longest, most = timedelta(days=settings.keep_failed_days), settings.keep_failed_mib << 20
        clean = partial(sweep, home, inbox, forget, longest=longest, most=most)
        loop = Loop(
            ledger,
            kubelet,
            inbox,
            build_reconciler,
            alive=lock.still_ours,
            sweep=clean,
            complain=lock.complain,
            parallelism=settings.parallelism or None,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: inbox.put(StopAsked()))
        loop.recover()
        while True:
            listener = Listener(bell, inbox)
            loop.run(settings.idle)
            listener.stop()
            bell.take_down()
            if loop.stopping or not lock.still_ours() or not ledger.has_work():
                return
            bell = Bell(home)
            inbox.put(Rang())


class Listener:
    """Waits for the bell beside the loop."""

    def __init__(self, bell: Bell, inbox: Inbox) -> None:
        self._bell = bell
        self._inbox = inbox
        self._stopped = False
        self._thread = threading.Thread(target=self._listen, name="bell", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._stopped:
            if self._bell.wait(timedelta(hours=1)):
                self._inbox.put(Rang())

    def stop(self) -> None:
        """Returns once nobody listens any more."""
        self._stopped = True
        self._bell.ring()
        self._thread.join()


def _opener(home: Home, objects: ObjectStore) -> Callable[[str], Place]:
    """What opens the runtime of a target."""

    def open_place(target: str) -> Place:
        from nbflow.runtimes.executor import Executor

        runtime = opened_runtime(target, home, objects)
        return Place(runtime, Executor(runtime, home, objects))

    return open_place


def _write_to(home: Home) -> None:
    """Standard output and errors go to the log from now on; a long one starts anew, the old one is kept once."""
    with suppress(OSError):
        if home.controller_log.stat().st_size > _LARGEST_LOG:
            home.controller_log.replace(home.controller_log.with_suffix(".log.1"))
    log = os.open(home.controller_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(log)
    os.close(null)
