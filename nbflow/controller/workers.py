"""A few threads for what may take long: moving artifacts, removing files."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Workers:
    """Runs calls beside the loop, oldest first. Threads start when they are first needed.

    They are daemons: a controller that hands over does not wait for a long copy, the next one repeats it.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads = 0

    def run(self, call: Callable[[], None]) -> None:
        """Have it done soon. Only the loop calls this."""
        self._calls.put(call)
        if self._threads < self._count and not self._idle.acquire(blocking=False):
            self._threads += 1
            threading.Thread(target=self._work, name=f"worker-{self._threads}", daemon=True).start()

    def _work(self) -> None:
        while True:
            call = self._calls.get()
            try:
                call()
            except Exception:  # noqa: BLE001 - the thread has to live on
                _log.exception("a call beside the loop failed")
            self._idle.release()
