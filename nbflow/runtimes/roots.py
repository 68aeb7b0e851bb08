"""Roots of pods: made once, used again.

To make a folder with its dozen entries is dearer than to start the pod in it, so a root that is not needed any
more is emptied, checked and kept for the next pod.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import stat
from collections import deque
from collections.abc import Container, Iterable, Mapping

KEPT = 32
"""Empty roots kept for each Python environment."""


class Roots:
    """Roots that look alike.

    folder: where spare ones are. folders: path -> mode, parents first. links: path -> target. mounts: path -> source,
    for mounts that will cover a place in the root.
    """

    def __init__(
        self,
        folder: str,
        folders: Mapping[str, int],
        links: Mapping[str, str],
        mounts: Mapping[str, str],
    ) -> None:
        self._links = {path.lstrip("/"): target for path, target in links.items()}
        self._folders = {path.lstrip("/"): mode for path, mode in folders.items()}
        self._covered = {path.lstrip("/") for path in mounts}
        self._files = {path.lstrip("/") for path, source in mounts.items() if os.path.isfile(source)}
        self._entries = _entries(self._folders, [*self._links, *self._files], self._covered)
        plan = repr((sorted(self._links.items()), sorted(self._folders.items()), sorted(self._covered)))
        self._spare_folder = f"{folder}/{hashlib.sha256(plan.encode()).hexdigest()[:16]}"
        self._spare: deque[str] | None = None

    def take(self, root: str) -> None:
        """A fresh root at `root`, which must not exist; its parent must."""
        with contextlib.suppress(IndexError, FileNotFoundError):
            os.rename(self._known().pop(), root)
            return
        os.mkdir(root, 0o755)
        for path, mode in self._folders.items():
            os.mkdir(f"{root}/{path}", mode)
            os.chmod(f"{root}/{path}", mode)
        for path, target in self._links.items():
            os.symlink(target, f"{root}/{path}")
        for path in self._files:
            os.close(os.open(f"{root}/{path}", os.O_CREAT | os.O_WRONLY, 0o644))

    def give_back(self, root: str) -> None:
        """Keep an own root for the next pod, without what its pod left there; or remove it."""
        spare = self._known()
        with contextlib.suppress(FileNotFoundError):
            if len(spare) < KEPT and self._scrub(root):
                if not spare:
                    os.makedirs(self._spare_folder, 0o700, exist_ok=True)
                place = f"{self._spare_folder}/{secrets.token_hex(8)}"
                os.rename(root, place)
                spare.append(place)
                return
            remove(root)

    def _known(self) -> deque[str]:
        if self._spare is None:
            with contextlib.suppress(FileNotFoundError):
                names = os.listdir(self._spare_folder)
                self._spare = deque(f"{self._spare_folder}/{name}" for name in names)
                return self._spare
            self._spare = deque()
        return self._spare

    def _scrub(self, root: str) -> bool:
        """Remove what does not belong there; False if what belongs there is not as it was."""
        owner = os.geteuid()
        for (
            path,
            mode,
        ) in self._folders.items():  # parents first, and all before any is listed: no link is followed
            found = os.lstat(f"{root}/{path}")
            if (
                not stat.S_ISDIR(found.st_mode)
                or stat.S_IMODE(found.st_mode) != mode
                or found.st_uid != owner
            ):
                return False
        for path, wanted in self._entries.items():
            with os.scandir(f"{root}/{path}") as entries:
                strangers = [entry.path for entry in entries if entry.name not in wanted]
            for stranger in strangers:
                remove(stranger)
        return all(_link(f"{root}/{path}") == target for path, target in self._links.items())


def remove(path: str) -> None:
    """Remove a file or a tree, also where the pod took rights away from its folders. Follows no link."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, onerror=_allow)
    else:
        os.unlink(path)


def _allow(_call: object, path: str, _info: object) -> None:
    parent = os.path.dirname(path)
    with contextlib.suppress(OSError):
        os.chmod(parent, 0o700)
        if os.path.isdir(path) and not os.path.islink(path):
            os.chmod(path, 0o700)
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _entries(folders: Iterable[str], others: Iterable[str], covered: Container[str]) -> dict[str, set[str]]:
    """Folder -> the names that belong into it; "" is the root itself. Without folders that a mount covers."""
    found: dict[str, set[str]] = {"": set()}
    found |= {path: set() for path in folders if path not in covered}
    for path in (*folders, *others):
        parent, _, name = path.rpartition("/")
        found[parent].add(name)
    return found
