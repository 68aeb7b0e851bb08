"""Whether the volumes of a pod stay within the limits that its manifest sets."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence

from nbflow.supervisor.plan import Limit

_PERIOD = 1.0
_SHARE = 20
"""To look takes time in a large folder: at most one part in so many is spent on it."""


def watch_usage(limits: Sequence[Limit], exceeded: Callable[[str], None]) -> None:
    """Returns at once. exceeded: told once, with Kubernetes' words for it."""
    if limits:
        threading.Thread(target=_watch, args=(limits, exceeded), daemon=True).start()


def _watch(limits: Sequence[Limit], exceeded: Callable[[str], None]) -> None:
    while True:
        begun = time.monotonic()
        for limit in limits:
            if usage(limit.place) > limit.size:
                exceeded(f'Usage of EmptyDir volume "{limit.volume}" exceeds the limit "{limit.text}".')
                return
        time.sleep(max(_PERIOD, _SHARE * (time.monotonic() - begun)))


def usage(folder: str) -> int:
    """Bytes that a folder takes on its disk, or in memory. What vanishes meanwhile counts nothing."""
    total, folders = 0, [folder]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total
