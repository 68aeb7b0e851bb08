"""Whether a container has started, is ready and still lives, as the kubelet finds out; and what runs at its start."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from nbflow.supervisor.asking import answers
from nbflow.supervisor.plan import Asked, ContainerPlan
from nbflow.supervisor.process import Process

_SHORTEST = 1.0
_HOOK = 24 * 3600.0


class Health:
    """Of one process. ready: told once, at the first time it is; None if nobody wants to know. sick: told why it has
    to end, and how many seconds it may take, None for what the pod grants."""

    def __init__(
        self,
        plan: ContainerPlan,
        process: Process,
        ready: Callable[[], None] | None,
        sick: Callable[[Process, str, float | None], None],
    ) -> None:
        self._plan = plan
        self._process = process
        self._ready = ready
        self._sick = sick

    def watch(self) -> None:
        """Returns at once; watches as long as there is something to ask."""
        plan = self._plan
        if not (plan.post_start.kind or plan.startup.kind or plan.liveness.kind or plan.readiness.kind):
            self._is_ready()
            return
        threading.Thread(target=self._follow, daemon=True).start()

    def _is_ready(self) -> None:
        if self._ready is not None:
            ready, self._ready = self._ready, None
            ready()

    def _follow(self) -> None:
        plan = self._plan
        if plan.post_start.kind and not answers(plan.post_start, self._process, _HOOK):
            self._sick(self._process, "PostStartHook failed", None)
            return
        if plan.startup.kind and not self._has_started():
            return
        if plan.liveness.kind:
            threading.Thread(target=self._stay_alive, daemon=True).start()
        if not plan.readiness.kind:
            self._is_ready()
        elif self._ready is not None:
            self._wait_ready()

    def _has_started(self) -> bool:
        asked, bad = self._plan.startup, 0
        time.sleep(asked.delay)
        while self._process.alive:
            if answers(asked, self._process, asked.timeout):
                return True
            bad += 1
            if bad >= asked.failures:
                self._is_sick("Startup", asked)
                return False
            time.sleep(asked.period)
        return False

    def _stay_alive(self) -> None:
        asked, bad = self._plan.liveness, 0
        time.sleep(asked.delay)
        while self._process.alive:
            bad = 0 if answers(asked, self._process, asked.timeout) else bad + 1
            if bad >= asked.failures:
                self._is_sick("Liveness", asked)
                return
            time.sleep(asked.period)

    def _is_sick(self, probe: str, asked: Asked) -> None:
        if self._process.alive:
            self._sick(self._process, f"{probe} probe failed", asked.grace)

    def _wait_ready(self) -> None:
        asked, good = self._plan.readiness, 0
        time.sleep(asked.delay)
        while good < asked.successes and self._process.alive:
            good = good + 1 if answers(asked, self._process, asked.timeout) else 0
            if good < asked.successes:
                # A daemon that is not up yet is asked more often: everybody waits for it.
                time.sleep(asked.period if good else min(_SHORTEST, asked.period))
        if good >= asked.successes:
            self._is_ready()
