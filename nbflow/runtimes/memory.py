"""Volumes in memory (`emptyDir.medium: Memory`): folders of the machine's tmpfs, one for each pod that asks for it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil

_POD = ".pod"
_SHM = "/dev/shm"  # noqa: S108 - what we make there is for us alone, and checked


def memory_folder(pod: str) -> str:
    """Where a pod's volumes in memory are; "" where the machine has no place for them. pod: the folder of the pod."""
    if not os.access(_SHM, os.W_OK | os.X_OK):
        return ""
    name = hashlib.sha256(os.path.realpath(pod).encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return f"{_SHM}/nbflow-{os.geteuid()}-{name}"


def make_memory_folder(folder: str, pod: str) -> None:
    """Make it, for us alone. Raises OSError if somebody else has put something in its place."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
        os.symlink(pod, f"{folder}/{_POD}")
    found = os.lstat(folder)
    if found.st_uid != os.geteuid() or not os.path.isdir(folder) or os.path.islink(folder):
        raise PermissionError(1, "it belongs to somebody else", folder)


def free_memory(pod: str) -> None:
    """Give back what a pod's volumes in memory hold."""
    folder = memory_folder(pod)
    if folder and os.path.lexists(folder):
        shutil.rmtree(folder, ignore_errors=True)


def free_orphaned_memory() -> None:
    """Give back what pods hold whose home was removed under them."""
    with contextlib.suppress(OSError), os.scandir(_SHM) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.name.startswith(f"nbflow-{os.geteuid()}-") and not os.path.exists(
                    f"{entry.path}/{_POD}"
                ):
                    shutil.rmtree(entry.path)
