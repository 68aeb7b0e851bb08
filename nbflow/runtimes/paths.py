"""Where a path of a pod is on this machine: symlinks are resolved as the pod would, never as we would."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

_LINKS = 40


def clean(path: str) -> str:
    """An absolute path without `.`, `..`, doubled or final slashes."""
    return "/" + os.path.normpath("/" + path).lstrip("/")


def no_links(path: str, flags: int) -> int:
    """An opener for a file that a pod may have made: it follows no link and waits for no one at a pipe."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def resolve(path: str, root: str, mounts: Mapping[str, str]) -> tuple[str, bool]:
    """The place of `path` under a root with mounts (path -> source), and whether it is in the root itself.

    What does not exist is not resolved further. Raises OSError (ELOOP) for links that go round in a circle.
    """
    todo = [part for part in path.split("/") if part][::-1]
    here: list[str] = []
    links = 0
    while todo:
        part = todo.pop()
        if part == ".":
            continue
        if part == "..":
            del here[-1:]
            continue
        here.append(part)
        target = _link(_place(here, root, mounts)[0])
        if target is None:
            continue
        links += 1
        if links > _LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        here = [] if target.startswith("/") else here[:-1]
        todo += [part for part in target.split("/") if part][::-1]
    return _place(here, root, mounts)


def _place(parts: list[str], root: str, mounts: Mapping[str, str]) -> tuple[str, bool]:
    for depth in range(len(parts), 0, -1) if mounts else ():
        source = mounts.get("/" + "/".join(parts[:depth]))
        if source is not None:
            return "/".join([source.rstrip("/"), *parts[depth:]]), False
    return "/".join([root, *parts]), True


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None
