"""Take files away: those of a deleted workflow, and the roots of failed pods that nobody looked at."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from nbflow.artifacts import driver_for
from nbflow.controller.artifact_gc import ON_COMPLETION, ON_DELETION, collect, doomed
from nbflow.controller.inbox import Inbox, PodCleared
from nbflow.errors import NbflowError
from nbflow.runtimes.cgroups import remove_old_groups
from nbflow.runtimes.memory import free_memory, free_orphaned_memory
from nbflow.spec.status import NodeStatus, artifacts_by_name
from nbflow.store import Home
from nbflow.store.ledger import Ledger


@dataclass(frozen=True, slots=True)
class FilesOf:
    """Whose files are to go. spec: of the workflow, whose artifactGC counts."""

    home: Home
    uid: str
    workflow: str
    nodes: Sequence[NodeStatus] = ()
    spec: Mapping[str, object] = field(default_factory=dict)


def remove_files(files: FilesOf) -> None:
    """Remove logs, roots and artifacts of a workflow. What is gone already is no error."""
    folder = files.home.workflow(files.uid)
    with contextlib.suppress(FileNotFoundError):
        for pod in folder.iterdir():
            free_memory(os.fspath(pod))
    remove_tree(folder)
    if wanted := doomed(files.nodes, files.spec, ON_COMPLETION, ON_DELETION):
        collect(files.home, wanted)
    for artifact in own_artifacts(files.nodes, files.workflow):
        with contextlib.suppress(NbflowError, OSError):
            driver_for(artifact, files.home.artifacts).delete(artifact)


def forget_pods(home: Home, uid: str, pods: Sequence[str]) -> None:
    """Remove all files of some pods of a workflow, logs included."""
    for pod in pods:
        remove_tree(home.pod(uid, pod))


def own_artifacts(nodes: Sequence[NodeStatus], workflow: str) -> list[Mapping[str, object]]:
    """Output artifacts in the local repository under the workflow's name. A key that the user chose may be
    meant for other workflows: it stays."""
    found = (artifact for node in nodes for artifact in artifacts_by_name(node.outputs).values())
    return [artifact for artifact in found if _local_key(artifact).startswith(f"{workflow}/")]


def _local_key(artifact: Mapping[str, object]) -> str:
    s3 = artifact.get("s3")
    return str(s3.get("key", "")) if isinstance(s3, Mapping) and not set(s3) - {"key"} else ""


def remove_tree(path: Path) -> None:
    """Remove a folder and all in it, also what was made read-only."""

    def make_writable(function: Callable[..., object], name: str, _: object) -> None:
        place = Path(name)
        with contextlib.suppress(OSError):
            place.parent.chmod(stat.S_IRWXU)
            if place.is_dir() and not place.is_symlink():
                place.chmod(stat.S_IRWXU)
                shutil.rmtree(place, ignore_errors=True)
            else:
                function(name)

    shutil.rmtree(path, onerror=make_writable)


@dataclass(frozen=True, slots=True)
class KeptRoot:
    """The root of a failed pod."""

    workflow: int
    target: str
    pod: str
    ended: float
    size: int


def sweep(
    home: Home, inbox: Inbox, forget: Callable[[str, str], None], *, longest: timedelta, most: int
) -> None:
    """Remove the roots of failed pods that are too old or too many. forget: (target, pod) drops one."""
    free_orphaned_memory()
    remove_old_groups()
    with Ledger(home) as ledger:
        roots = [
            KeptRoot(key, target, pod, ended, size_of(home.pod(uid, pod)))
            for key, uid, target, pod, ended in ledger.kept_pods()
        ]
    for root in surplus(roots, longest=longest.total_seconds(), most=most):
        forget(root.target, root.pod)
        inbox.put(PodCleared(root.workflow, root.pod, kept=False))


def surplus(
    roots: Sequence[KeptRoot], *, longest: float, most: int, now: float | None = None
) -> list[KeptRoot]:
    """Those to remove: older than `longest` seconds, and the oldest while all together exceed `most` bytes."""
    now = time.time() if now is None else now
    total = sum(root.size for root in roots)
    going: list[KeptRoot] = []
    for root in sorted(roots, key=lambda root: root.ended):
        if now - root.ended > longest or total > most:
            going.append(root)
            total -= root.size
    return going


def size_of(path: Path) -> int:
    """Bytes on the disk below a folder. What vanishes meanwhile counts nothing."""
    total = 0
    folders = [os.fspath(path)]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total
