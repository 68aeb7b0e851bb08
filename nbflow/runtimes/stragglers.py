"""Ends what a pod left running whose wrapper was killed.

Bubblewrap ends with who started it, but not in its first moments; plain processes never do. They are found by the
pod's folder, which stands in the environment that they were started with.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

MARK = "NBFLOW_POD"
"""The variable of our own programs around a pod (bubblewrap, supervisor) that names its folder; pods do not see it."""

_ROUNDS, _PAUSE = 20, 0.01


def end_stragglers(pod: str) -> None:
    """pod: its folder. What is forked meanwhile is found by looking until nothing is."""
    if sys.platform != "linux":
        return
    for _ in range(_ROUNDS):
        found = _processes(os.fsencode(pod))
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE)


def _processes(pod: bytes) -> list[int]:
    own = os.getpid()
    return [
        int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != own and _is_of(name, pod)
    ]


def _is_of(name: str, pod: bytes) -> bool:
    with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
        environment = file.read()
        return any(part in environment for part in (b"=%b\0" % pod, b"=%b/" % pod))
    return False
