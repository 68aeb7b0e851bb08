"""The Runtime whose pods are processes of this machine; an Enclosure decides what they see of it.

The state is on the disk (folder.py) and in the processes; what is kept in memory only saves looking twice.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from nbflow.runtimes.addresses import has_own_network, no_way_out, way_out
from nbflow.runtimes.cgroups import limited, memory_limit, remove_group, was_killed
from nbflow.runtimes.commands import CommandNotFound
from nbflow.runtimes.folder import PodFolder
from nbflow.runtimes.memory import free_memory
from nbflow.runtimes.runtime import PodRejected, PodStatus
from nbflow.runtimes.spawn import Launch, Streams, opens_streams, spawn
from nbflow.runtimes.stragglers import end_stragglers
from nbflow.runtimes.supervised import (
    Planner,
    needs_supervisor,
    others,
    remove_roots,
    spawn_supervisor,
)
from nbflow.runtimes.watch import ProcessWatch
from nbflow.spec.agent import REPORT
from nbflow.spec.pod import Pod
from nbflow.store.home import Home, component

NOT_FOUND = 64
"""Exit code of a pod whose program is not there, as Argo's."""


class Enclosure(Protocol):
    """What the pods of a process runtime see of the machine."""

    name: str
    notice: str

    def prepare(self, pod: Pod, folder: PodFolder) -> Mapping[str, str]:
        """Make the pod's root. Returns path -> source of what is mounted into it besides the machine's own."""

    def launch(self, pod: Pod, folder: PodFolder, mounts: Mapping[str, str]) -> Launch:
        """What to spawn. Raises CommandNotFound, PodRejected."""

    def locate(self, folder: PodFolder, path: str, mounts: Mapping[str, str], *, own: bool) -> str:
        """Where a path of the pod is on this machine, its symlinks resolved as the pod would.

        own: it must be the pod's to write; raises PodRejected for a folder of the machine's.
        """

    def signal(self, folder: PodFolder, pid: int, signum: int) -> None:
        """Send a signal to the pod's processes; the wrapper `pid` is to survive and tell the exit code."""

    def discard(self, folder: PodFolder) -> None:
        """The root is not needed any more."""


class ProcessRuntime:
    """Pods as processes: sandboxed or plain. See runtime.Runtime for what the methods promise."""

    def __init__(self, home: Home, enclosure: Enclosure) -> None:
        self.name = enclosure.name
        self.notice = enclosure.notice
        self._home = home
        self._enclosure = enclosure
        self._folders: dict[str, PodFolder] = {}
        self._mounts: dict[str, Mapping[str, str]] = {}
        self._others: dict[str, Mapping[str, Mapping[str, str]]] = {}  # the same of containers beside main
        self._watch = ProcessWatch()
        self._lock = threading.Lock()
        self._watched: set[str] = set()
        self._ended: list[str] = []  # ended without a process to watch
        self._kills: dict[str, float] = {}  # pod -> when SIGKILL is due, on the monotonic clock

    def prepare_pod(self, pod: Pod) -> bool:
        folder = self._folder_of(pod.uid, pod.name)
        if folder.exists():
            return False
        with contextlib.suppress(FileNotFoundError):
            os.unlink(folder.status_file)
            remove_roots(folder)
        if os.path.lexists(folder.root):
            shutil.rmtree(folder.root)
        os.makedirs(folder.path, mode=0o700, exist_ok=True)
        self._mounts[pod.name] = self._enclosure.prepare(pod, folder)
        if needs_supervisor(pod):
            self._others[pod.name] = {
                other.container: self._enclosure.prepare(alone, other) for alone, other in others(pod, folder)
            }
        return True

    def create_pod(self, pod: Pod) -> None:
        folder = self._folder_of(pod.uid, pod.name)
        if not os.path.lexists(folder.root) and not self.prepare_pod(pod):
            return
        status = folder.create()
        if status is None:
            return
        try:
            self._start(pod, folder, status)
        except BaseException:
            os.unlink(folder.status_file)
            raise
        finally:
            os.close(status)

    def _start(self, pod: Pod, folder: PodFolder, status: int) -> None:
        mounts = self._mounts.get(pod.name, {})
        supervised = needs_supervisor(pod)
        lines = [
            *(["supervised\n"] if supervised else []),
            f"start {time.time():.6f}\n",
            *(f"mount {path}\t{source}\n" for path, source in mounts.items()),
            *(f"limited {c.name}\n" for c in (*pod.init_containers, *pod.containers) if memory_limit(c)),
        ]
        os.write(status, "".join(lines).encode())
        if supervised:
            self._follow(pod.name, self._supervise(pod, folder, status))
            return
        try:
            launch = self._enclosure.launch(pod, folder, mounts)
        except CommandNotFound as missing:
            self._log(pod, str(missing))
            message = " ".join(str(missing).split())
            os.write(status, f"message {message}\nexit {NOT_FOUND}\n".encode())
            with self._lock:
                self._ended.append(pod.name)
            self._watch.wake()
            return
        log = os.fspath(self._home.log(pod.uid, pod.name, pod.main.name))
        if limit := memory_limit(pod.main):
            argv = limited(list(launch.argv), limit, folder.path, pod.main.name)
            launch = replace(launch, argv=argv)
        result = folder.result if pod.wants_result else ""
        streams = Streams(log, folder.status_file, result, piped=opens_streams(pod))
        deadline = None if pod.deadline is None else max(0.0, pod.deadline.total_seconds())
        pid = spawn(launch, status, streams, deadline)
        self._follow(pod.name, pid)

    def _supervise(self, pod: Pod, folder: PodFolder, status: int) -> int:
        """Start a pod of several containers under a supervisor; its pid."""
        mounts = {"": self._mounts.get(pod.name, {}), **self._others.pop(pod.name, {})}
        if has_own_network(pod) and not way_out():
            self.notice = "{} (to mend it: {})".format(*no_way_out())
        plan = Planner(self._home, self._enclosure.launch).plan(pod, folder, mounts)
        log = os.fspath(self._home.log(pod.uid, pod.name, pod.main.name))
        return spawn_supervisor(plan.plan, status, plan.namespace, log, folder.path)

    def _log(self, pod: Pod, text: str) -> None:
        with open(
            self._home.log(pod.uid, pod.name, pod.main.name), "a", encoding="utf-8", opener=_private
        ) as log:
            log.write(f"Error: {text}\n")

    def _follow(self, name: str, pid: int) -> None:
        with self._lock:
            if name in self._watched:
                return
            self._watched.add(name)
        if not self._watch.add(name, pid):
            with self._lock:
                self._watched.discard(name)
                self._ended.append(name)
            self._watch.wake()

    def list_pods(self, workflow_uid: str) -> Mapping[str, PodStatus]:
        found: dict[str, PodStatus] = {}
        try:
            names = sorted(os.listdir(self._home.workflow(workflow_uid)))
        except FileNotFoundError:
            return found
        for name in names:
            folder = PodFolder(os.fspath(self._home.pod(workflow_uid, name)))
            status = _status(folder)
            if status is None:
                continue
            self._folders[name] = folder
            found[name] = status
            if not status.finished:
                self._adopt(folder)
        return found

    def pod_status(self, workflow_uid: str, name: str) -> PodStatus | None:
        return _status(self._folder_of(workflow_uid, name))

    def _adopt(self, folder: PodFolder) -> None:
        """Watch a pod of an earlier controller."""
        pid = _pid_of(folder)
        if pid is not None:
            record = folder.read()
            if record is not None and record.kill is not None:
                with self._lock:
                    self._kills.setdefault(folder.name, time.monotonic() + record.kill - time.time())
            self._follow(folder.name, pid)
            self._watch.wake()  # whoever waits does not know yet when to kill it
        else:
            with self._lock:
                self._ended.append(folder.name)

    def finished_pods(self, timeout: timedelta) -> list[str]:
        end = time.monotonic() + timeout.total_seconds()
        while True:
            with self._lock:
                ended, self._ended = self._ended, []
                due = min(self._kills.values(), default=end)
            now = time.monotonic()
            ended += self._watch.wait(0.0 if ended else min(end, due) - now)
            with self._lock:
                self._watched.difference_update(ended)
                for name in ended:
                    self._kills.pop(name, None)
            self._end_stragglers(ended)
            self._kill_due()
            if ended or time.monotonic() >= end:
                return ended

    def _end_stragglers(self, ended: list[str]) -> None:
        """Of pods whose wrapper was killed: it would have told an exit code."""
        for name in ended:
            folder = self._folders.get(name)
            record = None if folder is None else folder.read()
            if folder is not None and record is not None and record.exit_code is None:
                end_stragglers(folder.path)

    def _kill_due(self) -> None:
        now = time.monotonic()
        with self._lock:
            due = [name for name, at in self._kills.items() if at <= now]
            for name in due:
                del self._kills[name]
        for name in due:
            self._signal(name, signal.SIGKILL)

    def delete_pod(self, name: str, *, grace: timedelta) -> None:
        due = time.monotonic() + grace.total_seconds()
        with self._lock:
            asked = name in self._kills
            if asked:
                self._kills[name] = min(due, self._kills[name])
        if not asked and self._signal(name, signal.SIGTERM if grace else signal.SIGKILL):
            with self._lock:
                self._kills[name] = due
            if grace and (folder := self._folder(name)) is not None:
                folder.kill_at(time.time() + grace.total_seconds())
        self._watch.wake()

    def _signal(self, name: str, signum: int) -> bool:
        folder = self._folder(name)
        pid = None if folder is None else _pid_of(folder)
        if folder is None or pid is None:
            return False
        record = folder.read()
        if record is not None and record.supervised:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGUSR1 if signum == signal.SIGKILL else signum)
        else:
            self._enclosure.signal(folder, pid, signum)
        return True

    def path_of(self, name: str, container_path: str, *, own: bool = False) -> Path:
        folder = self._folder(name)
        if folder is None:
            raise PodRejected(f"pod {name} has no files here")
        return Path(self._enclosure.locate(folder, container_path, self._mounts_of(folder), own=own))

    def _mounts_of(self, folder: PodFolder) -> Mapping[str, str]:
        known = self._mounts.get(folder.name)
        if known is None:
            record = folder.read()
            known = self._mounts[folder.name] = record.mounts if record else {}
        return known

    def forget_pod(self, name: str, *, keep_root: bool) -> None:
        folder = self._folder(name)
        if folder is None:
            return
        record = folder.read()
        for container in record.limited if record else ():
            remove_group(folder.path, container)
        own = (folder.status_file, folder.result, folder.last_words, folder.hosts)
        for path in (*own, os.path.join(folder.path, REPORT)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        free_memory(folder.path)
        if not keep_root:
            remove_roots(folder)
            self._enclosure.discard(folder)
        with self._lock:
            self._folders.pop(name, None)
            self._mounts.pop(name, None)

    def _folder_of(self, workflow_uid: str, name: str) -> PodFolder:
        found = self._folders.get(name)
        if found is None:
            found = self._folders[name] = PodFolder(os.fspath(self._home.pod(workflow_uid, name)))
        return found

    def _folder(self, name: str) -> PodFolder | None:
        if name not in self._folders:
            pattern = os.path.join(
                glob.escape(os.fspath(self._home.workflow("*").parent)), "*", glob.escape(component(name))
            )
            for path in glob.iglob(pattern):
                self._folders[name] = PodFolder(path)
        return self._folders.get(name)


def _status(folder: PodFolder) -> PodStatus | None:
    """How the pod stands; when its wrapper was killed nothing of it goes on."""
    status = folder.status()
    if status is not None and status.vanished:
        end_stragglers(folder.path)
    if status is not None and status.limited and status.finished:
        killed = frozenset(name for name in status.limited if was_killed(folder.path, name))
        return replace(status, out_of_memory=killed)
    return status


def _pid_of(folder: PodFolder) -> int | None:
    """The wrapper's process, None if it is gone. One that was just started may yet have to write its pid."""
    while (record := folder.read()) is not None and record.alive:
        if record.pid is not None:
            return record.pid
        time.sleep(0.002)
    return None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
