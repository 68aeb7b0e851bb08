"""Runs a workflow through the engine without a process, a clock or a disk.

Pods end as a rule says; time jumps to the next thing that is due.
"""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import yaml

from nbflow.engine.decision import (
    CreatePod,
    Decision,
    DeletePod,
    Event,
    PodFinished,
    PodReady,
    PodStarted,
    SaveMemo,
    Started,
    StaticWorld,
    StatusChange,
    TimeReached,
)
from nbflow.engine.reconcile import Reconciler
from nbflow.spec.pod import Pod, PodOutcome
from nbflow.spec.status import NodeStatus, Phase
from nbflow.spec.workflow import Workflow

START = datetime(2024, 5, 17, 10, 0, 0, tzinfo=UTC)


def workflow(text: str, name: str = "wf") -> Workflow:
    """A Workflow from YAML; metadata is filled in."""
    data = yaml.safe_load(text)
    if "spec" not in data:
        data = {"spec": data}
    metadata = {
        "name": name,
        "namespace": "default",
        "uid": "uid-1",
        "creationTimestamp": "2024-05-17T10:00:00Z",
    }
    data["metadata"] = {**metadata, **data.get("metadata", {})}
    return Workflow.from_dict({"kind": "Workflow", **data})


def succeed(pod: Pod) -> PodOutcome:
    return PodOutcome(Phase.SUCCEEDED, exit_code=0)


def fail(pod: Pod) -> PodOutcome:
    return PodOutcome(Phase.FAILED, "main: Error (exit code 1)", exit_code=1)


def result(text: str) -> Callable[[Pod], PodOutcome]:
    return lambda pod: PodOutcome(
        Phase.SUCCEEDED, exit_code=0, outputs={"result": text} if pod.wants_result else None
    )


def outputs(**values: str) -> PodOutcome:
    """A success with output parameters."""
    return PodOutcome(
        Phase.SUCCEEDED,
        exit_code=0,
        outputs={"parameters": [{"name": name, "value": value} for name, value in values.items()]},
    )


@dataclass
class Stored:
    """What a store keeps of a run."""

    by_id: dict[str, NodeStatus] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    status: StatusChange | None = None

    @property
    def nodes(self) -> list[NodeStatus]:
        return list(self.by_id.values())

    @property
    def children(self) -> list[tuple[str, str]]:
        return self.edges

    def keep(self, decision: Decision) -> None:
        for node in decision.changed:
            before = self.by_id.get(node.id)
            assert before is None or not finished(before) or same_end(before, node), (before, node)
            self.by_id[node.id] = node
        self.edges += decision.children
        if decision.status is not None:
            self.status = decision.status

    def copy(self) -> "Stored":
        return Stored(dict(self.by_id), list(self.edges), self.status)


def finished(node: NodeStatus) -> bool:
    return node.phase is not None and node.phase.finished


def same_end(before: NodeStatus, after: NodeStatus) -> bool:
    """A finished node may still learn where it ends and why, but not change its mind."""
    return before.phase is after.phase and before.finished_at == after.finished_at


class Simulation:
    """One run. rule: how a pod ends; duration: how long it takes; crash_every: events between restarts."""

    def __init__(
        self,
        manifest: Workflow | str,
        rule: Callable[[Pod], PodOutcome] = succeed,
        *,
        world: StaticWorld | None = None,
        duration: Callable[[Pod], float] = lambda pod: 1.0,
        seed: int = 7,
        crash_every: int = 0,
    ) -> None:
        self.workflow = workflow(manifest) if isinstance(manifest, str) else manifest
        self.rule, self.duration, self.seed = rule, duration, seed
        self.world = world or StaticWorld()
        self.now = START
        self.stored = Stored()
        self.pods: dict[str, Pod] = {}
        self.deleted: list[str] = []
        self.running: set[str] = set()
        self.most = 0
        self.crash_every = crash_every
        self.decisions: list[Decision] = []
        self._queue: list[tuple[datetime, int, Event]] = []
        self._count = itertools.count()
        self._wake: datetime | None = None
        self.reconciler = Reconciler(self.workflow, None, seed=seed)

    # --- driving --------------------------------------------------------------------------------------------------

    def run(self, *, events: int = 100_000) -> "Simulation":
        """From the start to the end, or until nothing more happens by itself."""
        self.observe(Started())
        return self.go_on(events=events)

    def go_on(self, *, events: int = 100_000, until: datetime | None = None) -> "Simulation":
        for number in range(1, events + 1):
            if not self.step(until):
                return self
            if self.crash_every and number % self.crash_every == 0:
                self.crash()
        return self

    def step(self, until: datetime | None = None) -> bool:
        """Let the next thing happen."""
        due = self._queue[0][0] if self._queue else None
        if self.phase.finished and due is None:
            return False
        if self._wake is not None and (due is None or self._wake < due):
            if until is not None and self._wake > until:
                return False
            self.now = max(self.now, self._wake)
            self.observe(TimeReached())
            return True
        if due is None or (until is not None and due > until):
            return False
        self.now, _, event = heapq.heappop(self._queue)
        if isinstance(event, PodFinished):
            self.running.discard(event.name)
        self.observe(event)
        return True

    def crash(self) -> None:
        """A new controller takes over with what was stored."""
        self.reconciler = Reconciler(self.workflow, self.stored.copy(), seed=self.seed)
        self.observe(Started())

    def observe(self, event: Event) -> Decision:
        decision = self.reconciler.observe(event, self.now, self.world)
        self.decisions.append(decision)
        self.stored.keep(decision)
        self._wake = decision.wake_at
        assert decision.wake_at is None or decision.wake_at > self.now, "time stands still"
        for action in decision.actions:
            if isinstance(action, CreatePod):
                self._create(action.pod)
            elif isinstance(action, SaveMemo):
                self._save(action)
            else:
                self._delete(action)
        return decision

    def _create(self, pod: Pod) -> None:
        assert pod.name not in self.pods, f"pod {pod.name} was created twice"
        self.pods[pod.name] = pod
        self.running.add(pod.name)
        self.most = max(self.most, len(self.running))
        started = self.now + timedelta(milliseconds=10)
        self._put(started, PodStarted(pod.name, started, "10.0.0.1"))
        if pod.daemon:
            self._put(started, PodReady(pod.name, started, "10.0.0.1"))
            return
        seconds = self.duration(pod)
        outcome = self.rule(pod)
        if pod.deadline is not None and timedelta(seconds=seconds) > pod.deadline:
            seconds = pod.deadline.total_seconds()
            outcome = PodOutcome(
                Phase.FAILED, "Pod was active on the node longer than the specified deadline"
            )
        end = started + timedelta(seconds=seconds)
        self._put(end, PodFinished(pod.name, replace(outcome, finished_at=outcome.finished_at or end)))

    def _save(self, action: SaveMemo) -> None:
        before = self.world.config_map("default", action.config_map) or {}
        label = {"workflows.argoproj.io/configmap-type": "Cache"}
        data = {**before.get("data", {}), action.key: action.entry}
        objects = {
            **self.world.objects,
            ("ConfigMap", action.config_map): {"metadata": {"labels": label}, "data": data},
        }
        self.world = StaticWorld(objects)

    def _delete(self, action: DeletePod) -> None:
        self.deleted.append(action.name)
        self._queue = [item for item in self._queue if getattr(item[2], "name", "") != action.name]
        heapq.heapify(self._queue)
        if action.name in self.running:
            killed = PodOutcome(
                Phase.FAILED, "main: Error (exit code 143)", exit_code=143, finished_at=self.now
            )
            self._put(self.now, PodFinished(action.name, killed))

    def _put(self, at: datetime, event: Event) -> None:
        heapq.heappush(self._queue, (at, next(self._count), event))

    # --- looking --------------------------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        return self.stored.status.phase if self.stored.status else Phase.PENDING

    @property
    def message(self) -> str:
        return self.stored.status.message if self.stored.status else ""

    @property
    def progress(self) -> str:
        return self.stored.status.progress if self.stored.status else ""

    @property
    def nodes(self) -> dict[str, NodeStatus]:
        """Full name -> node."""
        return {node.name: node for node in self.stored.nodes}

    @property
    def phases(self) -> dict[str, str]:
        """Full name without the workflow's -> phase."""
        return {
            name.removeprefix("wf") or "wf": node.phase.value if node.phase else ""
            for name, node in self.nodes.items()
        }

    def node(self, name: str) -> NodeStatus:
        """By display name, which has to be unique here."""
        found = [node for node in self.stored.nodes if node.display_name == name]
        assert len(found) == 1, (name, [node.name for node in self.stored.nodes])
        return found[0]

    def edges(self) -> set[tuple[str, str]]:
        """(parent, child) by name."""
        names = {node.id: node.name for node in self.stored.nodes}
        return {(names[parent], names[child]) for parent, child in self.stored.edges}
