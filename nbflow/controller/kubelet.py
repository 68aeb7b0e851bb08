"""The lives of pods, from the decision to create one until its files are gone.

Stands where the kubelet stands: it keeps to the number of pods that may run at once, stages and captures beside
the loop, tries again what may succeed later. What it learns goes to the inbox; it decides nothing about workflows.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from typing import Protocol

from nbflow.controller.inbox import Inbox, PodCleared, PodDelayed, PodEnded, PodOver, PodUp
from nbflow.controller.room import Demand, Queue, Room
from nbflow.controller.workers import Workers
from nbflow.errors import NbflowError
from nbflow.runtimes.agent import target_for
from nbflow.runtimes.runtime import PodStatus, Runtime, RuntimeUnavailable
from nbflow.spec.pod import Pod, PodOutcome
from nbflow.spec.status import Phase

_log = logging.getLogger(__name__)

_WAIT = timedelta(hours=1)
_FIRST_RETRY, _LONGEST_RETRY = 0.5, 30.0
POD_DELETED = "pod deleted"


class PodExecutor(Protocol):
    """runtimes.executor.Executor, as the controller uses it."""

    def start(self, pod: Pod) -> None:
        """Stage the inputs and create the pod."""

    def progress(self, pod: Pod) -> str:
        """How far a pod that runs says it got."""

    def finish(self, pod: Pod, status: PodStatus) -> PodOutcome:
        """Capture the outputs."""

    def is_quick(self, pod: Pod) -> bool:
        """Whether both cost no more than a thread would."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where pods of one target run."""

    runtime: Runtime
    executor: PodExecutor


class Stage(Enum):
    """How far a pod got."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(slots=True)
class LivePod:
    """A pod that is not over. deleted: why it is to end, None if it is not; grace: how long it may take.

    priority: of its workflow. demand: the room that it takes while it runs. progress: how far it said it got.
    """

    pod: Pod
    workflow: int
    place: Place
    stage: Stage = Stage.QUEUED
    deleted: str | None = None
    grace: timedelta = timedelta(0)
    tries: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    progress: str = ""
    priority: int = 0
    demand: Demand = field(default_factory=Demand)


class Kubelet:
    """All pods of the home that are not over. Only the loop calls it."""

    def __init__(
        self, inbox: Inbox, slots: int, open_place: Callable[[str], Place], workers: Workers | None = None
    ) -> None:
        self._inbox = inbox
        self._room = Room.of_machine(slots)
        self._open_place = open_place
        self._workers = workers or Workers(4)
        self._places: dict[str, Place] = {}
        self._opening = threading.Lock()
        self._told: set[str] = set()  # notices
        self._live: dict[str, LivePod] = {}
        self._queue: Queue[LivePod] = Queue()
        self._retries: list[tuple[float, LivePod]] = []

    # --- places ---

    def place(self, target: str) -> Place:
        """The runtime of a target, opened the first time; any thread may ask. Raises NbflowError if it cannot be."""
        with self._opening:
            if target not in self._places:
                place = self._places[target] = self._opened(target)
                report = partial(self._report_ends, place.runtime)
                threading.Thread(target=report, name=f"ends-{target}", daemon=True).start()
            return self._places[target]

    def take_notices(self) -> list[str]:
        """What the runtimes that were opened have to say by now; each is given once."""
        said = {place.runtime.notice for place in tuple(self._places.values())} - self._told - {""}
        self._told |= said
        return sorted(said)

    def _opened(self, target: str) -> Place:
        try:
            return self._open_place(target)
        except NbflowError:
            raise
        except Exception as error:
            _log.exception("the runtime of target %s could not be opened", target)
            raise NbflowError(f"target {target!r} cannot be used: {error}") from error

    def _report_ends(self, runtime: Runtime) -> None:
        while True:
            try:
                for name in runtime.finished_pods(_WAIT):
                    self._inbox.put(PodEnded(name))
            except Exception:  # noqa: BLE001 - the thread has to live on
                _log.exception("%s could not say which pods ended", runtime.name)
                time.sleep(1.0)

    # --- what the loop asks for ---

    def __contains__(self, name: str) -> bool:
        return name in self._live

    def get(self, name: str) -> LivePod | None:
        """The pod of that name if it is not over."""
        return self._live.get(name)

    def running(self) -> Iterator[LivePod]:
        """The pods that run now."""
        return (live for live in self._live.values() if live.stage is Stage.RUNNING)

    def take_progress(self) -> list[tuple[str, str]]:
        """Pods that say that they got further than the last time, and how far."""
        found = []
        for live in self.running():
            progress = live.place.executor.progress(live.pod)
            if progress and progress != live.progress:
                live.progress = progress
                found.append((live.pod.name, progress))
        return found

    def create(self, pod: Pod, workflow: int, target: str, priority: int = 0) -> None:
        """Start it as soon as there is room. `start_queued` carries it out."""
        if pod.name in self._live:
            return
        try:
            place = self.place(target_for(pod, target))
        except NbflowError as error:
            self._inbox.put(PodOver(pod, errored(error.problem)))
            return
        live = LivePod(pod, workflow, place, priority=priority, demand=Demand.of(pod))
        self._live[pod.name] = live
        self._queue.add(live, workflow, priority)

    def adopt(self, pod: Pod, workflow: int, target: str) -> None:
        """A pod of an earlier controller that runs, or ended and was not captured."""
        live = self._live[pod.name] = LivePod(
            pod, workflow, self.place(target_for(pod, target)), Stage.RUNNING
        )
        live.demand = Demand.of(pod)
        self._room.take(live.demand)

    def delete(self, name: str, *, grace: timedelta, reason: str) -> None:
        """End a pod. One that was not started yet is over at once."""
        live = self._live.get(name)
        if live is None:
            return
        live.deleted, live.grace = reason or POD_DELETED, grace
        if live.stage is Stage.QUEUED:
            self._drop_queued(live)
            self._inbox.put(PodOver(live.pod, PodOutcome(Phase.FAILED, live.deleted)))
        elif live.stage is Stage.RUNNING:
            live.place.runtime.delete_pod(name, grace=grace)

    def start_queued(self) -> None:
        """Start what there is room for, each workflow in turn: a wide one does not keep others waiting."""
        self._requeue_due()
        while self._queue and self._room.fits(self._queue.first().demand):
            live = self._queue.take()
            self._room.take(live.demand)
            live.stage = Stage.STARTING
            self._do(live, partial(self._start, live))

    def next_retry(self) -> float | None:
        """Seconds until a delayed pod is due, None if none is."""
        if not self._retries:
            return None
        return max(0.0, min(at for at, _ in self._retries) - time.monotonic())

    # --- what messages of the inbox lead to ---

    def is_up(self, name: str) -> None:
        """It runs; one that was deleted meanwhile ends now."""
        live = self._live.get(name)
        if live is None or live.stage is not Stage.STARTING:
            return
        live.stage = Stage.RUNNING
        if live.deleted is not None:
            live.place.runtime.delete_pod(name, grace=live.grace)

    def is_delayed(self, name: str) -> None:
        """It is tried again after a while, and leaves its room to others."""
        live = self._live.get(name)
        if live is None:
            return
        self._room.take(live.demand, -1)
        if live.deleted is not None:
            live.stage = Stage.ENDED
            self._inbox.put(PodOver(live.pod, PodOutcome(Phase.FAILED, live.deleted)))
            return
        live.stage = Stage.QUEUED
        live.tries += 1
        delay = min(_LONGEST_RETRY, _FIRST_RETRY * 2 ** (live.tries - 1))
        self._retries.append((time.monotonic() + delay, live))

    def has_ended(self, name: str) -> None:
        """Its processes are gone: capture what it left. Saying so twice does no harm."""
        live = self._live.get(name)
        if live is None or live.stage not in (Stage.RUNNING, Stage.STARTING):
            return
        if live.stage is Stage.STARTING and not self._is_gone(live):
            return
        live.stage = Stage.ENDED
        self._room.take(live.demand, -1)
        self._do(live, partial(self._finish, live))

    def is_over(self, name: str) -> None:
        """Its outcome is known. Whoever needs it has it from the message."""
        live = self._live.pop(name, None)
        if live is not None and live.stage is Stage.STARTING:
            self._room.take(live.demand, -1)

    def clear(self, name: str, workflow: int, target: str, *, keep: bool) -> None:
        """Remove the files of a pod that is captured, beside the loop; `keep`: its root stays for looking at."""
        try:
            place = self.place(target)
        except NbflowError:
            self._inbox.put(PodCleared(workflow, name, kept=True))
        else:
            self._workers.run(partial(self._clear, place, name, workflow, keep))

    def beside(self, call: Callable[[], None]) -> None:
        """Have something long done beside the loop."""
        self._workers.run(call)

    # --- in the loop for what is quick, else in a worker ---

    def _do(self, live: LivePod, call: Callable[[], None]) -> None:
        if live.place.executor.is_quick(live.pod):
            call()
        else:
            self._workers.run(call)

    def _start(self, live: LivePod) -> None:
        pod = live.pod
        try:
            live.place.executor.start(pod)
        except RuntimeUnavailable as error:
            self._inbox.put(PodDelayed(pod, str(error)))
        except NbflowError as error:
            self._inbox.put(PodOver(pod, errored(_said(error))))
        except Exception as error:  # noqa: BLE001 - one bad pod leaves the others alone
            _log.exception("pod %s could not be started", pod.name)
            self._inbox.put(PodOver(pod, errored(f"the pod could not be started: {error}")))
        else:
            self._inbox.put(PodUp(pod, datetime.now(UTC)))

    def _finish(self, live: LivePod) -> None:
        pod = live.pod
        try:
            status = live.place.runtime.pod_status(pod.uid, pod.name)
            outcome = errored(POD_DELETED) if status is None else live.place.executor.finish(pod, status)
        except NbflowError as error:
            outcome = errored(_said(error))
        except Exception as error:  # noqa: BLE001 - as above
            _log.exception("the outputs of pod %s could not be captured", pod.name)
            outcome = errored(f"the outputs could not be captured: {error}")
        self._inbox.put(PodOver(pod, outcome))

    def _clear(self, place: Place, name: str, workflow: int, keep: bool) -> None:
        try:
            place.runtime.forget_pod(name, keep_root=keep)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("the files of pod %s could not be removed", name)
        self._inbox.put(PodCleared(workflow, name, keep))

    def _is_gone(self, live: LivePod) -> bool:
        status = live.place.runtime.pod_status(live.pod.uid, live.pod.name)
        return status is not None and status.finished

    def _requeue_due(self) -> None:
        now = time.monotonic()
        due = [live for at, live in self._retries if at <= now]
        self._retries = [(at, live) for at, live in self._retries if at > now]
        for live in due:
            self._queue.add(live, live.workflow, live.priority)

    def _drop_queued(self, live: LivePod) -> None:
        self._retries = [(at, other) for at, other in self._retries if other is not live]
        self._queue.drop(live, live.workflow, live.priority)


def errored(message: str) -> PodOutcome:
    """The outcome of a pod that could not run or be captured."""
    return PodOutcome(Phase.ERROR, message, finished_at=datetime.now(UTC))


def _said(error: NbflowError) -> str:
    return f"{error.where}: {error.problem}" if error.where else error.problem
