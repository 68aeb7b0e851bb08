"""The last words of main: what it wrote into its termination log, else the end of its log if its policy says so.

Kubernetes hands them to Argo, which puts them behind the exit code.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from nbflow.errors import NbflowError
from nbflow.runtimes.paths import clean, no_links
from nbflow.spec.pod import Pod

_USUAL = "/dev/termination-log"
_LONGEST = 4096
_OF_LOG, _LINES = 2048, 80


def termination_log(pod: Pod) -> str:
    """Its path in the pod if main may write to it: the manifest sets it or names it; "" for all others."""
    main = pod.main
    own = str(main.extra.get("terminationMessagePath") or "")
    texts = (*main.command, *main.args, main.source or "", *(str(item.get("value", "")) for item in main.env))
    return clean(own) if own else _USUAL if any(_USUAL in text for text in texts) else ""


def last_words(pod: Pod, path_of: Callable[[str], Path], log: Path) -> str:
    """What main had to say of its failure, "" if nothing."""
    path = termination_log(pod)
    found = _end_of(lambda: path_of(path), _LONGEST) if path else ""
    if not found and pod.main.extra.get("terminationMessagePolicy") == "FallbackToLogsOnError":
        found = "\n".join(_end_of(lambda: log, _OF_LOG).splitlines()[-_LINES:])
    return found.strip()


def _end_of(place: Callable[[], Path], most: int) -> str:
    try:
        with open(place(), "rb", opener=no_links) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - most))
            return file.read(most).decode("utf-8", "replace")
    except (OSError, NbflowError):
        return ""
