"""What reaches the loop: everything that happens elsewhere ends here as a message."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from nbflow.spec.pod import Pod, PodOutcome


@dataclass(frozen=True, slots=True)
class Rang:
    """Somebody stored something: a workflow or a request."""


@dataclass(frozen=True, slots=True)
class PodUp:
    """A pod was started."""

    pod: Pod
    at: datetime


@dataclass(frozen=True, slots=True)
class PodDelayed:
    """A pod could not be started now, but may be later."""

    pod: Pod
    reason: str


@dataclass(frozen=True, slots=True)
class PodEnded:
    """The processes of a pod are gone; its outputs are not captured yet."""

    name: str


@dataclass(frozen=True, slots=True)
class PodOver:
    """A pod ended and what it left is captured, or it never started."""

    pod: Pod
    outcome: PodOutcome


@dataclass(frozen=True, slots=True)
class PodCleared:
    """The files of a pod are gone but for its logs, or its root was kept."""

    workflow: int
    name: str
    kept: bool


@dataclass(frozen=True, slots=True)
class WorkflowRemoved:
    """All files of a workflow that is to be deleted are gone."""

    workflow: int


@dataclass(frozen=True, slots=True)
class PodsForgotten:
    """Nothing is left of the pods of a workflow that a retry starts anew."""

    workflow: int


@dataclass(frozen=True, slots=True)
class StopAsked:
    """A signal asks the controller to end. Pods go on."""


Message = (
    Rang | PodUp | PodDelayed | PodEnded | PodOver | PodCleared | WorkflowRemoved | PodsForgotten | StopAsked
)


class Inbox:
    """Takes messages from any thread, gives them to the loop in the order they came.

    stop_asked: a StopAsked came, whether or not it was taken yet.
    """

    def __init__(self) -> None:
        self.stop_asked = False
        self._queue: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def put(self, message: Message) -> None:
        """Never waits."""
        self.stop_asked = self.stop_asked or isinstance(message, StopAsked)
        self._queue.put(message)

    def take(self, seconds: float) -> Iterator[Message]:
        """All messages there are; waits so long for the first one."""
        try:
            yield self._queue.get(timeout=max(0.0, seconds))
            while True:
                yield self._queue.get_nowait()
        except queue.Empty:
            return
