"""The sandbox without nbflow: the flags that a pod's bubblewrap gets, for loops in `sh` and `xargs`."""

from __future__ import annotations

import os
from pathlib import Path

from nbflow.runtimes.bubblewrap import namespaces, user_namespace, view
from nbflow.runtimes.machine import Machine, machine


def bwrap(folder: Path) -> list[str]:
    """A command that runs what follows it as a pod would run, in a root below `folder`.

    The user namespace that root's pods share is a descriptor, which the processes that we start inherit.
    """
    seen = machine("", str(folder / "home"))
    root = folder / "root"
    _make_root(root, seen)
    namespace = user_namespace()
    if namespace >= 0:
        os.set_inheritable(namespace, True)
    words = ["bwrap", "--hostname", "pod", *namespaces(namespace), "--bind", str(root), "/"]
    words += view(seen, seen.mounts, seen.shadowed[0] if seen.shadowed else "")
    for name, value in {"PATH": seen.search_path, "HOME": "/root", "LANG": "C.UTF-8", **seen.env}.items():
        words += ["--setenv", name, value]
    return [*words, "--chdir", "/", "--"]


def _make_root(root: Path, seen: Machine) -> None:
    for path, mode in seen.folders.items():
        (root / path.lstrip("/")).mkdir(mode, parents=True, exist_ok=True)
    for path, target in seen.links.items():
        link = root / path.lstrip("/")
        if not link.is_symlink():
            link.symlink_to(target)
