"""Makes single folders of the machine writable for a pod that names a path in one of them.

`/usr/local/bin/tool` as an input needs an own /usr, /usr/local and /usr/local/bin: they are rebuilt in the pod's root
from links to the machine's own, which is mounted aside under MACHINE. (An overlay would not do: the kernel lets an
ordinary user write into no folder of root's, and not every kernel lets users mount one.)
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping

from nbflow.runtimes.paths import clean, resolve

MACHINE = "/.machine"
_COPIED = 16 * 1024 * 1024


def build_farms(
    root: str, paths: Iterable[str], mounts: Mapping[str, str], links: Mapping[str, str]
) -> dict[str, str]:
    """Rebuild what `paths` need. Returns the mounts that are right then; {} if nothing had to be rebuilt."""
    system = {path for path in mounts if path.count("/") == 1}
    wanted = sorted({place for path in paths if (place := _place(path, root, mounts)) is not None})
    wanted = [path for path in wanted if _top(path) in system]
    if not wanted:
        return {}
    farmed = {_top(path) for path in wanted}
    folders = {parent for path in wanted for parent in _parents(path)}
    folders |= {path for path in wanted if os.path.isdir(path)}
    for folder in sorted(folders):
        _rebuild(root, folder, folders, wanted)
    kept = {path: source for path, source in mounts.items() if _top(path) not in farmed}
    aside = {f"{MACHINE}{path}": path for path in sorted(system)}
    for path in aside:
        os.makedirs(root + path, exist_ok=True)
    for path, target in links.items():
        if path.count("/") == 1:
            os.symlink(target, f"{root}{MACHINE}{path}")
    return {**aside, **kept}


def _place(path: str, root: str, mounts: Mapping[str, str]) -> str | None:
    """The machine's path that a path of the pod would be, None if the pod has it for its own anyway."""
    place, own = resolve(os.path.dirname(clean(path)), root, mounts)
    return None if own else os.path.join(place, os.path.basename(clean(path)))


def _top(path: str) -> str:
    return "/" + path.split("/")[1]


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(2, len(parts))]


def _rebuild(root: str, folder: str, folders: set[str], wanted: list[str]) -> None:
    os.makedirs(root + folder, exist_ok=True)
    if not os.path.isdir(folder):
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            here = root + entry.path
            if entry.path in folders:
                continue
            if entry.path in wanted:
                if entry.is_file() and entry.stat().st_size <= _COPIED:
                    shutil.copyfile(entry.path, here)
                    shutil.copymode(entry.path, here)
            elif entry.is_symlink():
                os.symlink(os.readlink(entry.path), here)
            else:
                os.symlink(MACHINE + entry.path, here)
