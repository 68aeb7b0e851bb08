"""What the engine takes in and what it gives back: events and decisions.

No I/O: controller/loop.py turns the outside world into events and carries decisions out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from nbflow.spec.pod import Pod, PodOutcome
from nbflow.spec.status import InputsOutputs, NodeStatus, Phase


@dataclass(frozen=True, slots=True)
class Started:
    """The workflow is taken up, for the first time or by a controller that came after another."""


@dataclass(frozen=True, slots=True)
class PodStarted:
    """The main container of a pod runs. host: the name of the machine."""

    name: str
    at: datetime
    ip: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True)
class PodReady:
    """A daemon pod passed its readiness probe (or has none and started)."""

    name: str
    at: datetime
    ip: str = ""


@dataclass(frozen=True, slots=True)
class PodProgressed:
    """A pod that runs says how far it got: "N/M"."""

    name: str
    progress: str


@dataclass(frozen=True, slots=True)
class PodFinished:
    """A pod ended; its outputs are captured."""

    name: str
    outcome: PodOutcome


@dataclass(frozen=True, slots=True)
class TimeReached:
    """The time of an earlier `wake_at` came. A spurious one does no harm."""


@dataclass(frozen=True, slots=True)
class UserAsked:
    """A person asked for something, in the words of argo's verbs.

    verb: "stop", "terminate", "suspend", "resume" or "set" (node set).
    nodes: ids it is about (node field selectors are resolved by the client); empty for the whole workflow.
    message: said in the status. phase, outputs: for "set".
    """

    verb: str
    nodes: tuple[str, ...] = ()
    message: str = ""
    phase: Phase | None = None
    outputs: InputsOutputs | None = None


Event = Started | PodStarted | PodReady | PodProgressed | PodFinished | TimeReached | UserAsked


@dataclass(frozen=True, slots=True)
class CreatePod:
    """Start this pod. It is complete: no `{{tag}}` is left in it."""

    pod: Pod


@dataclass(frozen=True, slots=True)
class DeletePod:
    """End this pod: its whole process tree, within `grace`. It still reports PodFinished if it was running."""

    name: str
    grace: timedelta = timedelta(seconds=30)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SaveMemo:
    """Keep the outputs of a memoized node: write `entry`, a JSON text, under `key` of this ConfigMap.

    One that does not exist is created, with the label workflows.argoproj.io/configmap-type: Cache.
    """

    config_map: str
    key: str
    entry: str


Action = CreatePod | DeletePod | SaveMemo


@dataclass(frozen=True, slots=True)
class StatusChange:
    """The workflow's own status, without its nodes; written whole each time one of its fields changed.

    labels: labels of the Workflow that change with it (workflows.argoproj.io/phase, completed, labelsFrom).
    extra: other fields of Argo's status (conditions, resourcesDuration, storedTemplates, ...).
    suspended: whether spec.suspend is set by now.
    """

    phase: Phase
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    progress: str = ""
    outputs: InputsOutputs | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, object] = field(default_factory=dict)
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from an event; store it, then act.

    changed: the nodes that differ from before. children: new edges (parent id, child id), in order.
    status: the workflow's own status if it changed. actions: in this order.
    wake_at: send `TimeReached` then (UTC), even if no pod changes; None if only pods matter.
    """

    changed: tuple[NodeStatus, ...] = ()
    children: tuple[tuple[str, str], ...] = ()
    status: StatusChange | None = None
    actions: tuple[Action, ...] = ()
    wake_at: datetime | None = None


class World(Protocol):
    """A read-only view of what else counts: a dict in tests, the store behind the controller."""

    def config_map(self, namespace: str, name: str) -> Mapping[str, object] | None:
        """The ConfigMap object (metadata, data), None if there is none."""

    def workflow_template(self, name: str, *, cluster_scope: bool) -> Mapping[str, object] | None:
        """The WorkflowTemplate or ClusterWorkflowTemplate object, None if there is none."""

    def durations(self, label: str, value: str) -> Mapping[str, float]:
        """Seconds that the nodes of the newest succeeded workflow with that label took, by their names without the
        workflow's; "" is the workflow. Empty if there is none."""


@dataclass(frozen=True, slots=True)
class StaticWorld:
    """A World that is a dict: (kind, name) -> object. took: see durations."""

    objects: Mapping[tuple[str, str], Mapping[str, object]] = field(default_factory=dict)
    took: Mapping[str, float] = field(default_factory=dict)

    def durations(self, label: str, value: str) -> Mapping[str, float]:  # noqa: ARG002  # one template
        """See World."""
        return self.took

    def config_map(self, namespace: str, name: str) -> Mapping[str, object] | None:  # noqa: ARG002  # one namespace
        """See World."""
        return self.objects.get(("ConfigMap", name))

    def workflow_template(self, name: str, *, cluster_scope: bool) -> Mapping[str, object] | None:
        """See World."""
        return self.objects.get(("ClusterWorkflowTemplate" if cluster_scope else "WorkflowTemplate", name))


class StoredRun(Protocol):
    """What a reconciler is rebuilt from: everything earlier decisions stored."""

    @property
    def nodes(self) -> Sequence[NodeStatus]:
        """All nodes, in the order they appeared, without children."""

    @property
    def children(self) -> Sequence[tuple[str, str]]:
        """All edges, in order."""

    @property
    def status(self) -> StatusChange | None:
        """The last status, None if there was no decision yet."""
