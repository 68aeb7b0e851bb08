"""Memory limits of containers, by the kernel's control groups where we may make some.

Version 2 of them, or 1; of an ordinary user where a session manager has handed a part of the tree over. Where there
are none for us, each process of the container gets the limit for its own data (RLIMIT_DATA).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from nbflow.errors import NbflowError
from nbflow.runtimes.runtime import PodRejected
from nbflow.spec.pod import ContainerSpec
from nbflow.units import size

_ROOT = "/sys/fs/cgroup"
_PREFIX = "nbflow-"
_OLD = 24 * 3600.0
_LAST_BREATH = 0.5


@dataclass(frozen=True, slots=True)
class Tree:
    """Where groups can be made. version: 1 or 2."""

    folder: str
    version: int


def memory_limit(container: ContainerSpec) -> int:
    """Bytes that a container may use, 0 for as much as it likes. Raises PodRejected for what is no quantity."""
    resources = container.extra.get("resources")
    limits = resources.get("limits") if isinstance(resources, Mapping) else None
    limit = limits.get("memory") if isinstance(limits, Mapping) else None
    try:
        return 0 if limit is None else max(0, size(str(limit)))
    except NbflowError as error:
        raise PodRejected(f"container '{container.name}': {error.problem}", fix=error.fix) from error


def limited(argv: list[str], limit: int, pod: str, container: str) -> list[str]:
    """The command line with the limit on it. pod: the folder of the pod, which names the group."""
    tree = memory_tree()
    if tree is not None:
        with contextlib.suppress(OSError):
            procs = _make(group_of(tree, pod, container), tree, limit)
            return ["/bin/sh", "-c", 'echo 0 >"$0"; exec "$@"', procs, *argv]
    return ["/bin/sh", "-c", f'ulimit -d {max(1, limit // 1024)}; exec "$@"', "sh", *argv]


def _make(group: str, tree: Tree, limit: int) -> str:
    with contextlib.suppress(FileExistsError):
        os.mkdir(group, 0o755)
    if tree.version == 2:
        _write(f"{group}/memory.max", limit)
        _try(f"{group}/memory.swap.max", 0)
        _try(f"{group}/memory.oom.group", 1)
    else:
        _write(f"{group}/memory.limit_in_bytes", limit)
        _try(f"{group}/memory.memsw.limit_in_bytes", limit)
    return f"{group}/cgroup.procs"


def _write(file: str, value: int) -> None:
    with open(file, "w", encoding="ascii") as opened:
        opened.write(str(value))


def _try(file: str, value: int) -> None:
    with contextlib.suppress(OSError):
        _write(file, value)


def was_killed(pod: str, container: str) -> bool:
    """Whether the kernel killed a process of a container for want of memory."""
    tree = memory_tree()
    if tree is None:
        return False
    file = "memory.events" if tree.version == 2 else "memory.oom_control"
    with (
        contextlib.suppress(OSError),
        open(f"{group_of(tree, pod, container)}/{file}", encoding="ascii") as opened,
    ):
        return any(line.split()[0] == "oom_kill" and int(line.split()[1]) > 0 for line in opened)
    return False


def remove_group(pod: str, container: str) -> None:
    """Of a container that has ended. The kernel may be about to let its last processes go."""
    tree = memory_tree()
    if tree is None:
        return
    end = time.monotonic() + _LAST_BREATH
    while not _removed(group_of(tree, pod, container)) and time.monotonic() < end:
        time.sleep(0.005)


def _removed(group: str) -> bool:
    try:
        os.rmdir(group)
    except OSError as error:
        return error.errno != errno.EBUSY
    return True


def remove_old_groups() -> None:
    """Of pods whose home was removed: empty ones that nobody looked at for a day."""
    tree = memory_tree()
    with contextlib.suppress(OSError), os.scandir(tree.folder if tree else "/nonexistent") as entries:
        for entry in list(entries):
            with contextlib.suppress(OSError):
                if entry.name.startswith(_PREFIX) and entry.stat().st_mtime < time.time() - _OLD:
                    os.rmdir(entry.path)


def group_of(tree: Tree, pod: str, container: str) -> str:
    """The folder of a container's group."""
    name = hashlib.sha256(f"{pod}\0{container}".encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return f"{tree.folder}/{_PREFIX}{name}"


@cache
def memory_tree() -> Tree | None:
    """Where we may make groups that limit memory; None if nowhere."""
    try:
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            lines = [line.rstrip("\n").split(":", 2) for line in file]
    except OSError:
        return None
    for _, controllers, path in lines:
        if "memory" in controllers.split(",") and _works(f"{_ROOT}/memory{path}", 1):
            return Tree(f"{_ROOT}/memory{path}".rstrip("/"), 1)
        if not controllers and (found := _delegated(path)):
            return Tree(found, 2)
    return None


def _delegated(path: str) -> str:
    """The nearest folder above us whose children have the memory controller, and that is ours to change."""
    parts = [part for part in path.split("/") if part]
    for depth in range(len(parts), -1, -1):
        folder = "/".join([_ROOT, *parts[:depth]])
        with contextlib.suppress(OSError), open(f"{folder}/cgroup.subtree_control", encoding="ascii") as file:
            if "memory" in file.read().split() and _works(folder, 2):
                return folder
    return ""


def _works(folder: str, version: int) -> bool:
    """Try it: make a group, limit it, and have a process enter it."""
    trial = f"{folder.rstrip('/')}/{_PREFIX}trial-{os.getpid()}"
    try:
        os.mkdir(trial)
    except OSError:
        return False
    try:
        procs = _make(trial, Tree(folder, version), 1 << 30)
        entered = subprocess.run(["/bin/sh", "-c", 'echo 0 >"$0"', procs], capture_output=True, check=False)
        return entered.returncode == 0
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            os.rmdir(trial)
