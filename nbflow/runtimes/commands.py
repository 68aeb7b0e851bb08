"""What a pod runs: its command line, checked to be there before anything is started."""

from __future__ import annotations

import os
from collections.abc import Callable

from nbflow.runtimes.runtime import PodRejected

SCRIPT = "/argo/staging/script"
"""Where the source of a script template lies in its pod, as Argo places it."""


class CommandNotFound(Exception):
    """The program of a pod is not there: a failed pod, not a refused one. Its text is Argo's message."""


def find_program(name: str, search_path: str, folder: str, locate: Callable[[str], str]) -> str:
    """Where on this machine the program is that a pod means by `name`.

    folder: the pod's working directory. locate: path of the pod -> path on this machine.
    Raises CommandNotFound in the words of Argo's executor.
    """
    if "/" in name:
        return _there(name, locate(name if name.startswith("/") else os.path.join(folder, name)))
    for place in search_path.split(":"):
        candidate = locate(os.path.join(folder, place or ".", name))
        if os.access(candidate, os.X_OK) and not os.path.isdir(candidate):
            return candidate
    raise CommandNotFound(f'failed to find name in PATH: exec: "{name}": executable file not found in $PATH')


def _there(name: str, place: str) -> str:
    if not os.path.exists(place):
        raise CommandNotFound(
            f'failed to find name in PATH: exec: "{name}": stat {name}: no such file or directory'
        )
    if os.path.isdir(place):
        raise CommandNotFound(f'failed to find name in PATH: exec: "{name}": is a directory')
    if not os.access(place, os.X_OK):
        raise CommandNotFound(f'failed to find name in PATH: exec: "{name}": permission denied')
    return place


def check_text(*texts: str) -> None:
    """Raises PodRejected for what no process can be handed."""
    if any("\0" in text for text in texts):
        raise PodRejected("a command or environment variable holds a NUL character")
