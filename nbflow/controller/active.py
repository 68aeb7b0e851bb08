"""One workflow that is not over: its reconciler and what the controller remembers beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from nbflow.engine.decision import (
    CreatePod,
    Decision,
    DeletePod,
    Event,
    SaveMemo,
    StatusChange,
    StoredRun,
    World,
)
from nbflow.engine.locks import LockTable
from nbflow.spec.status import Phase
from nbflow.spec.workflow import Workflow
from nbflow.store.batch import Batch
from nbflow.store.ledger import Ledger
from nbflow.store.rows import Submitted

COMPLETED_LABEL = "workflows.argoproj.io/completed"
PHASE_LABEL = "workflows.argoproj.io/phase"
STORED_SPEC = "storedWorkflowTemplateSpec"


class Observer(Protocol):
    """engine.reconcile.Reconciler, as the controller uses it."""

    def observe(self, event: Event, now: datetime, world: World) -> Decision:
        """Take in one fact and decide."""


BuildObserver = Callable[[Workflow, "StoredRun | None", int, LockTable], Observer]


@dataclass(slots=True)
class ActiveWorkflow:
    """A workflow the controller cares for.

    observer: who decides; None if nobody can any more, and its pods only end. lock_owner: what the table of locks
    calls it. spec: merged with that of its template, once that is known. pods: names of pods that are not cleared
    away. deleting: keys of the requests that want it gone; removing: its files are being removed.
    """

    submitted: Submitted
    observer: Observer | None = None
    lock_owner: str = ""
    spec: Mapping[str, object] = field(default_factory=dict)
    sequence: int = 0
    finished: bool = False
    phase: Phase = Phase.PENDING
    wake_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    pods: set[str] = field(default_factory=set)
    deleting: list[int] = field(default_factory=list)
    removing: bool = False

    @property
    def key(self) -> int:
        """Of its row."""
        return self.submitted.key

    @property
    def priority(self) -> int:
        """Of the spec."""
        priority = self.spec.get("priority")
        return priority if isinstance(priority, int) else 0

    def record(self, decision: Decision, batch: Batch) -> None:
        """Note a decision in what will be committed."""
        key = self.key
        self.wake_at = decision.wake_at
        for node in decision.changed:
            batch.nodes[key, node.id] = node
        batch.children.extend((key, parent, child) for parent, child in decision.children)
        if decision.status is not None:
            self.record_status(decision.status, batch)
        for action in decision.actions:
            if isinstance(action, CreatePod):
                batch.created.append((key, action.pod))
                self.pods.add(action.pod.name)
            elif isinstance(action, SaveMemo):
                batch.memos.append(action)
        if decision.changed or decision.children or decision.status is not None:
            self.touch(batch)

    def touch(self, batch: Batch) -> None:
        """One step of the sequence a commit."""
        if self.key not in batch.sequences:
            self.sequence += 1
            batch.sequences[self.key] = self.sequence

    def record_status(self, status: StatusChange, batch: Batch) -> None:
        """Note its own status in what will be committed."""
        batch.statuses[self.key] = status
        self.remember(status)

    def remember(self, status: StatusChange) -> None:
        """What the controller itself needs to know of a status."""
        merged = status.extra.get(STORED_SPEC)
        if isinstance(merged, Mapping):
            self.spec = merged
        self.finished_at = status.finished_at
        self.finished = status.phase.finished
        self.phase = status.phase
        self.started_at = status.started_at

    def record_failure(self, message: str, now: datetime, batch: Batch) -> None:
        """The workflow ends in Error: nobody can decide for it any more."""
        labels = {COMPLETED_LABEL: "true", PHASE_LABEL: Phase.ERROR.value}
        status = StatusChange(Phase.ERROR, message, self.started_at or now, now, labels=labels)
        self.observer = None
        self.wake_at = None
        self.record_status(status, batch)
        self.touch(batch)


class StoreWorld:
    """engine's World: what else counts, from the store."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._objects = ledger.objects

    def config_map(self, namespace: str, name: str) -> Mapping[str, object] | None:  # noqa: ARG002 - one namespace
        return self._objects.get("ConfigMap", name)

    def workflow_template(self, name: str, *, cluster_scope: bool) -> Mapping[str, object] | None:
        return self._objects.get("ClusterWorkflowTemplate" if cluster_scope else "WorkflowTemplate", name)

    def durations(self, label: str, value: str) -> Mapping[str, float]:
        return self._ledger.durations(label, value)


def pods_to_delete(decision: Decision) -> list[DeletePod]:
    """The pods that a decision ends."""
    return [action for action in decision.actions if isinstance(action, DeletePod)]
