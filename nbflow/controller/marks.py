"""How long each log was when: so that `logs --since` needs no time in every line."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress

from nbflow.controller.kubelet import LivePod
from nbflow.store import Home


def mark_logs(home: Home, pods: Iterable[LivePod]) -> None:
    """Note the size of each log that grew since the last call. One stat a container; a write only if it grew."""
    now = time.time()
    for live in pods:
        for container in live.pod.containers:
            try:
                size = home.log(live.pod.uid, live.pod.name, container.name).stat().st_size
            except OSError:
                continue
            if live.sizes.get(container.name) != size:
                live.sizes[container.name] = size
                _append(
                    os.fspath(home.log_marks(live.pod.uid, live.pod.name, container.name)),
                    f"{now:.3f} {size}\n",
                )


def _append(path: str, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError:
        return  # a mark less does no harm
    try:
        with suppress(OSError):  # as above
            os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
