"""How many workflows may run at once: those that are too many wait, by priority, then by age."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from nbflow.controller.active import ActiveWorkflow
from nbflow.engine.decision import StatusChange
from nbflow.spec.status import Phase

POSTPONED = "Workflow processing has been postponed because too many workflows are already running"


@dataclass(slots=True)
class Turns:
    """parallelism: how many run at once, None for any number. waiting: those that are to have their turn, by key."""

    parallelism: int | None = None
    waiting: dict[int, ActiveWorkflow] = field(default_factory=dict)

    def is_full(self, active: Iterable[ActiveWorkflow]) -> bool:
        """Whether one more would be too many."""
        if not self.parallelism:
            return False
        running = sum(1 for one in active if not one.finished and one.key not in self.waiting)
        return running >= self.parallelism

    def postpone(self, workflow: ActiveWorkflow) -> StatusChange:
        """Have it wait; its status says why."""
        self.waiting[workflow.key] = workflow
        return StatusChange(Phase.PENDING, POSTPONED, suspended=bool(workflow.spec.get("suspend")))

    def next(self, active: Iterable[ActiveWorkflow]) -> ActiveWorkflow | None:
        """Whose turn it is, None if it is nobody's."""
        if not self.waiting or self.is_full(active):
            return None
        return self.waiting.pop(min(self.waiting, key=lambda key: (-self.waiting[key].priority, key)))


def is_postponed(status: StatusChange | None) -> bool:
    """Whether a stored workflow has had no turn yet."""
    return status is not None and status.phase is Phase.PENDING and status.message == POSTPONED
