"""Pods as processes in their own user, mount and pid namespaces, by way of bubblewrap.

A pod sees a root of its own, writable, over the machine's programs, which are read-only; its own /proc, /dev and
/tmp; no home folder. When its main process ends, or its wrapper is killed, nothing of it is left running.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from nbflow.runtimes.bubblewrap import children, namespaces, probe, switch_user, user_namespace, view
from nbflow.runtimes.commands import check_text, find_program
from nbflow.runtimes.folder import PodFolder
from nbflow.runtimes.hosts import HOSTS, own_hosts
from nbflow.runtimes.linkfarm import MACHINE, build_farms
from nbflow.runtimes.machine import OWN, PYTHON_ANNOTATION, STANDARD_PATH, Machine, hidden_paths, machine
from nbflow.runtimes.paths import clean, resolve
from nbflow.runtimes.roots import Roots, remove
from nbflow.runtimes.runtime import PodRejected, RuntimeUnavailable
from nbflow.runtimes.security import security_of
from nbflow.runtimes.spawn import ARGUMENTS, NAMESPACE, Launch
from nbflow.runtimes.stragglers import MARK
from nbflow.runtimes.termination import termination_log
from nbflow.runtimes.volumes import declared_paths, mounts_of, read_only_mounts
from nbflow.spec.pod import Pod
from nbflow.store.home import Home

_NOWHERE = "/dev/null/nothing"
_SIGNAL_WAIT = 1.0
_FIRST = f"{OWN}/first"
"""A folder of a pod's root that goes before all others on its PATH."""


@dataclass(frozen=True, slots=True)
class _View:
    """What the pods of one Python environment have in common."""

    machine: Machine
    roots: Roots
    flags: tuple[str, ...]
    stamp: tuple[int, ...]
    table: Mapping[str, str]


class Sandbox:
    """An Enclosure (processes.py). Raises RuntimeUnavailable without bubblewrap or where namespaces are forbidden."""

    name = "sandbox"
    notice = ""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._bwrap = shutil.which("bwrap") or ""
        if not self._bwrap:
            raise RuntimeUnavailable(
                "bubblewrap is not installed", fix="apt install bubblewrap, or use --on host"
            )
        self._namespace = user_namespace()
        probe(self._bwrap, self._namespace)
        self._inherited = -1 if self._namespace < 0 else NAMESPACE
        self._views: dict[str, _View] = {}
        self._pythons: dict[str, str] = {}  # pod -> its Python, for pods prepared by us
        self._programs: dict[
            tuple[str, str], str
        ] = {}  # (name, PATH) -> where it was found, for the machine's own
        self._fresh_view(
            sys.executable
        )  # most pods use the Python that submits them: found before the first one waits

    def prepare(self, pod: Pod, folder: PodFolder) -> Mapping[str, str]:
        python = pod.annotations.get(PYTHON_ANNOTATION, "")
        seen = self._fresh_view(python)
        self._pythons[pod.name] = python
        volumes = mounts_of(pod, self._home)
        seen.roots.take(folder.root)
        farmed = build_farms(folder.root, declared_paths(pod), seen.machine.mounts, seen.machine.links)
        mounts = {**farmed, **volumes}
        for path in volumes:
            self._make_folder(folder, os.path.dirname(path), mounts)
        self._make_folder(folder, clean(pod.main.working_dir or "/"), mounts)
        if (said := termination_log(pod)).startswith("/dev/"):  # where nothing is kept
            mounts[said] = folder.last_words
            _write(folder.last_words, "", 0o622)  # whoever the container runs as
        if hosts := own_hosts(pod):
            mounts[HOSTS] = folder.hosts
            _write(folder.hosts, hosts, 0o644)
        for name, path in _shadowed(pod, seen.machine).items():
            os.makedirs(f"{folder.root}{_FIRST}", exist_ok=True)
            os.symlink(path, f"{folder.root}{_FIRST}/{name}")
        return mounts  # the folders of outputs are the pod's to make, as in Argo

    def _make_folder(self, folder: PodFolder, path: str, mounts: Mapping[str, str]) -> None:
        place = self.locate(folder, path, mounts, own=False)
        if not os.path.isdir(place):
            os.makedirs(self.locate(folder, path, mounts, own=True), exist_ok=True)

    def launch(self, pod: Pod, folder: PodFolder, mounts: Mapping[str, str]) -> Launch:
        seen = self._view(pod.annotations.get(PYTHON_ANNOTATION, ""))
        security = security_of(pod, pod.main)
        home = "/" if security.user else "/root"
        search_path = seen.machine.search_path
        if _shadowed(pod, seen.machine):
            search_path = f"{_FIRST}:{search_path}"
        env = {"PATH": search_path, "HOME": home, "LANG": "C.UTF-8", **seen.machine.env}
        env |= {str(item["name"]): str(item.get("value", "")) for item in pod.main.env}
        working_dir = clean(pod.main.working_dir or "/")
        argv = [*pod.main.command, *pod.main.args]
        check_text(working_dir, *argv, *env, *env.values())
        self._check_program(argv[0], env["PATH"], working_dir, folder, self._table(mounts, seen))
        words = [
            "--hostname",
            pod.name[:63],
            *namespaces(self._inherited, security),
            "--bind",
            folder.root,
            "/",
        ]
        words += self._mount_flags(seen, mounts, read_only_mounts(pod))
        if security.read_only_root:
            words += ["--remount-ro", "/"]
        for name, value in env.items():
            words += ["--setenv", name, value]
        words += ["--chdir", working_dir]
        return Launch(
            argv=[self._bwrap, "--args", str(ARGUMENTS), "--", *switch_user(security), *argv],
            env={MARK: folder.path},
            arguments="".join(f"{word}\0" for word in words).encode("utf-8", "surrogateescape"),
            namespace=self._namespace,
            own_session=True,
        )

    def _mount_flags(self, seen: _View, mounts: Mapping[str, str], read_only: Container[str]) -> list[str]:
        if not mounts:
            return list(seen.flags)
        volumes = _volumes(mounts, seen)
        system = {path: source for path, source in mounts.items() if path not in volumes}
        flags = list(seen.flags)
        if system:
            shell = seen.machine.shadowed[0] if seen.machine.shadowed else ""
            flags = view(seen.machine, system, shell if _shown(shell, system) else MACHINE + shell)
        for path, source in volumes.items():
            flags += ["--ro-bind" if path in read_only else "--bind", source, path]
        return flags

    def _check_program(
        self, name: str, search_path: str, working_dir: str, folder: PodFolder, table: Mapping[str, str]
    ) -> None:
        known = self._programs.get((name, search_path))
        if known and os.access(known, os.X_OK):
            return
        place = find_program(
            name, search_path, working_dir, lambda path: resolve(path, folder.root, table)[0]
        )
        if "/" not in name and not place.startswith(folder.path):
            self._programs[name, search_path] = place

    def locate(self, folder: PodFolder, path: str, mounts: Mapping[str, str], *, own: bool) -> str:
        seen = self._view(self._pythons.get(folder.name, ""))
        place, is_own = resolve(path, folder.root, self._table(mounts, seen))
        if own and not is_own and not _is_in(place, _volumes(mounts, seen).values()):
            raise PodRejected(f"{path} is in a folder of the machine, which a pod cannot write to")
        return place

    @staticmethod
    def _table(mounts: Mapping[str, str], seen: _View) -> Mapping[str, str]:
        """All mounts of a pod; what no pod leaves anything in leads nowhere."""
        if not mounts:
            return seen.table
        if any(path.startswith(MACHINE) for path in mounts):
            return {**mounts, **_nowhere(seen.machine, mounts)}
        return {**seen.table, **mounts}

    def signal(self, folder: PodFolder, pid: int, signum: int) -> None:
        end = time.monotonic() + _SIGNAL_WAIT
        while not self._signal(children(pid), signum) and folder.alive() and time.monotonic() < end:
            time.sleep(0.002)  # the wrapper is about to start bubblewrap

    @staticmethod
    def _signal(programs: list[int], signum: int) -> bool:
        for program in programs:
            for inner in children(program)[:1]:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    if children(inner) or signum == signal.SIGKILL:
                        os.killpg(inner, signum)  # the pod's first process leads its session
                        return True
        for program in programs:  # not that far yet: nothing of the pod runs
            with contextlib.suppress(ProcessLookupError):
                os.kill(program, signal.SIGSTOP)
                os.kill(program, signum)
                for inner in children(program):  # it would wait for bubblewrap for ever
                    os.kill(inner, signal.SIGKILL)
                os.kill(program, signal.SIGCONT)
        return bool(programs)

    def discard(self, folder: PodFolder) -> None:
        python = self._pythons.pop(folder.name, None)
        if python is None or os.path.lexists(folder.root + MACHINE):
            with contextlib.suppress(FileNotFoundError):
                remove(folder.root)
        else:
            self._view(python).roots.give_back(folder.root)

    def _view(self, python: str) -> _View:
        return self._views.get(python) or self._fresh_view(python)

    def _fresh_view(self, python: str) -> _View:
        """The same, made anew if packages were installed meanwhile."""
        found = self._views.get(python)
        if found is None or found.stamp != _stamp(found.machine):
            seen = machine(python, os.fspath(self._home.root))
            shell = seen.shadowed[0] if seen.shadowed else ""
            covered = {**seen.mounts, "/proc": "/proc", "/dev": "/dev"}
            roots = Roots(os.fspath(self._home.root / "roots"), seen.folders, seen.links, covered)
            flags = tuple(view(seen, seen.mounts, shell))
            table = {**seen.mounts, **_nowhere(seen, seen.mounts)}
            found = self._views[python] = _View(seen, roots, flags, _stamp(seen), table)
        return found


def _write(path: str, text: str, mode: int) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
        os.chmod(file.fileno(), mode)


def _shadowed(pod: Pod, machine: Machine) -> dict[str, str]:
    """Programs that the pod brings along for the usual folders, and that the folder of its Python would hide."""
    python = machine.python
    usual = STANDARD_PATH.split(":")
    if not pod.inputs or python is None or python.folder in usual:
        return {}
    paths = [clean(str(artifact.get("path", ""))) for artifact in pod.inputs]
    brought = {os.path.basename(path): path for path in paths if os.path.dirname(path) in usual}
    return {name: path for name, path in brought.items() if os.path.lexists(f"{python.folder}/{name}")}


def _volumes(mounts: Mapping[str, str], seen: _View) -> dict[str, str]:
    """Those mounts of a pod that are not the machine's own."""
    own = seen.machine.mounts
    return {
        path: source
        for path, source in mounts.items()
        if not path.startswith(f"{MACHINE}/") and own.get(path) != source
    }


def _is_in(place: str, folders: Iterable[str]) -> bool:
    return any(place == folder or place.startswith(f"{folder}/") for folder in folders)


def _stamp(machine: Machine) -> tuple[int, ...]:
    return machine.python.stamp() if machine.python else ()


def _nowhere(machine: Machine, mounts: Mapping[str, str]) -> dict[str, str]:
    """What pods leave nothing in, or must not see: as mounts that lead nowhere."""
    return dict.fromkeys(("/proc", "/dev", "/sys", *hidden_paths(machine.hidden, mounts)), _NOWHERE)


def _shown(path: str, mounts: Mapping[str, str]) -> bool:
    return any(path.startswith(f"{shown}/") for shown in mounts)
