"""One run of a workflow in memory: its tree, what is to be done next, and the facts of the current event.

The constructs (steps, dag, retry, ...) work on a Run. None of them calls another one directly: what a node
sets going is put on the agenda, so that no depth of nesting ever becomes depth of Python's stack.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol, cast

from nbflow.engine.arguments import Prepared
from nbflow.engine.decision import Action, World
from nbflow.engine.locks import LockTable
from nbflow.engine.names import fnv32a, node_id
from nbflow.engine.progress import with_progress
from nbflow.engine.scope import ArtifactsByName, Variables
from nbflow.engine.templates import Source, Templates
from nbflow.engine.tree import NodeTree
from nbflow.spec.arguments import Arguments
from nbflow.spec.model import KubeObject
from nbflow.spec.status import InputsOutputs, NodeStatus, Phase
from nbflow.spec.template import Template, TemplateRef
from nbflow.spec.workflow import Workflow, WorkflowSpec
from nbflow.templating.expressions import Clock
from nbflow.templating.scope import Value
from nbflow.templating.tags import substitute_tree

POD_FIELDS = frozenset(
    (
        "nodeSelector", "affinity", "tolerations", "schedulerName", "priorityClassName", "serviceAccountName",
        "automountServiceAccountToken", "hostAliases", "securityContext", "podSpecPatch", "executor", "podResources",
        "resourceClaims", "archiveLocation", "imagePullSecrets", "hostNetwork", "dnsPolicy", "dnsConfig", "archiveLogs",
    )
)  # fmt: skip
"""Fields of a workflow or template that are about its pods; the engine hands them on to the runtime."""

ALWAYS = datetime.min.replace(tzinfo=UTC)


class Context(Protocol):
    """What goes on below one node: it starts children and is told of what becomes of them."""

    def child_changed(self, node: NodeStatus) -> None:
        """A child runs, became a daemon, or finished. May be told twice."""

    def child_errored(self, call: Call, message: str) -> None:
        """A child could not be started; if it has a node, that is in Error."""

    def child_timed_out(self, call: Call, message: str) -> None:
        """A child was pending for too long; its node is Failed."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Which template is called: one written in place, one of another object, or one by name."""

    template: str = ""
    template_ref: TemplateRef | None = None
    inline: Template | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a template: what becomes a node.

    name: of the node. scope: where names of templates resolve, "local/". arguments: resolved.
    kind, caller: "steps" or "tasks" and the name of the step or task; "" for none. depth: of nesting, the root is 1.
    parents: ids of the nodes it comes after. on_exit: part of an exit handler. flag: Argo's nodeFlag.
    """

    name: str
    reference: Reference
    scope: str
    arguments: Arguments
    owner: Context
    boundary: str = ""
    kind: str = ""
    caller: str = ""
    depth: int = 1
    parents: tuple[str, ...] = ()
    on_exit: bool = False
    flag: Mapping[str, bool] = field(default_factory=dict)


Begin = Callable[["Run", Call, Prepared, NodeStatus], None]
"""Sets a construct going below its node, or takes it up again where an earlier controller left it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for its turn below a boundary. name: of the node to be started."""

    name: str
    boundary: str
    start: Callable[[], None]


@dataclass(slots=True)
class Blocked:
    """What waits until fewer pods run: in the whole workflow, or below one boundary."""

    anywhere: deque[Waiting] = field(default_factory=deque)
    below: dict[str, deque[Waiting]] = field(default_factory=dict)


class Run:
    """The state that all constructs share."""

    def __init__(self, workflow: Workflow, seed: int) -> None:
        self.workflow = workflow
        self.name = workflow.metadata.name
        self.spec: WorkflowSpec = workflow.spec
        self.seed = seed
        self.tree = NodeTree(self.name)
        self.templates = Templates(workflow.spec, "local/")
        self.variables: Variables = {}
        self.outputs = GlobalOutputs()
        self.constructs: Mapping[str, Begin] = {}
        self.boundaries: dict[str, Source] = {}
        self.blocked = Blocked()
        self.volumes: tuple[KubeObject, ...] = workflow.spec.volumes
        self.locks = LockTable()
        self.lock_owner = f"{workflow.metadata.namespace}/{self.name}"
        self.synchronized: set[str] = set()
        self.timed: set[str] = set()
        self.awaiting: dict[str, Callable[[], None]] = {}
        self.memos: dict[tuple[str, str], Mapping[str, object]] = {}
        self.pod_fields: Mapping[str, object] = {}
        self.estimates: Mapping[str, float] = {}
        self.shutdown = workflow.spec.shutdown
        self.suspended = bool(workflow.spec.suspend)
        self.deadline: datetime | None = None
        self.now = ALWAYS
        self.world: World
        self.actions: list[Action] = []
        self.owners: dict[str, Context] = {}
        self.daemons: set[str] = set()
        self.endless: set[str] = set()
        self.once_idle: deque[Callable[[], None]] = deque()
        self._agenda: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[datetime, int, Callable[[], None]]] = []
        self._timer_count = 0

    def use(self, spec: WorkflowSpec, scope: str, variables: Variables) -> None:
        """Take in what is known before the first node."""
        self.spec, self.variables, self.volumes = spec, variables, spec.volumes
        self.templates = Templates(spec, scope)
        self.pod_fields = {key: value for key, value in spec.to_dict().items() if key in POD_FIELDS}

    def fill_in_volumes(self, scope: Variables, clock: Clock) -> None:
        """Replace tags in the volumes of the workflow that name what a step or task gave. Raises TemplateError."""
        if any("{{" in str(volume) for volume in self.volumes):
            data = cast("list[Value]", list(self.volumes))
            filled = substitute_tree(data, scope, allow_unresolved=True, clock=clock)
            self.volumes = tuple(cast("list[KubeObject]", filled))

    # --- the agenda and the clock ---------------------------------------------------------------------------------

    def later(self, work: Callable[[], None]) -> None:
        """Do this after what is being done now."""
        self._agenda.append(work)

    def first(self, work: Callable[[], None]) -> None:
        """Do this next, before all else that is to be done."""
        self._agenda.appendleft(work)

    def at(self, time: datetime, work: Callable[[], None]) -> None:
        """Do this when the time has come."""
        self._timer_count += 1
        heapq.heappush(self._timers, (time, self._timer_count, work))

    def work(self) -> None:
        """Do all that can be done now; nothing while the workflow is suspended."""
        while not self.suspended:
            while self._timers and self._timers[0][0] <= self.now:
                self._agenda.append(heapq.heappop(self._timers)[2])
            if not self._agenda:
                return
            self._agenda.popleft()()

    def clear(self) -> None:
        """Forget all that was to be done: the workflow is over."""
        self._agenda.clear()
        self.once_idle.clear()
        self._timers.clear()

    @property
    def busy(self) -> bool:
        """Whether there is something on the agenda."""
        return bool(self._agenda)

    @property
    def wake_at(self) -> datetime | None:
        """When the next thing is due."""
        return self._timers[0][0] if self._timers else None

    @property
    def global_artifacts(self) -> ArtifactsByName:
        """The output artifacts of the workflow so far, as variables."""
        return {f"workflow.outputs.artifacts.{name}": a for name, a in self.outputs.artifacts.items()}

    def clock(self, node_name: str, at: datetime | None = None) -> Clock:
        """The time and chance of expressions that are evaluated for a node: the same whenever they are."""
        return Clock(now=at or self.now, seed=self.seed ^ fnv32a(node_name))

    def estimate(self, name: str) -> dict[str, object]:
        """How long a node will take, by what it took before."""
        seconds = int(self.estimates.get(name.removeprefix(self.name), 0)) if self.estimates else 0
        return {"estimatedDuration": seconds} if seconds else {}

    # --- nodes ----------------------------------------------------------------------------------------------------

    def node_id(self, name: str) -> str:
        """The id of the node of that name."""
        return node_id(self.name, name)

    def executes(self, *, on_exit: bool) -> bool:
        """Whether nodes may still be started: a stop leaves exit handlers alone, a termination does not."""
        return not self.shutdown or (self.shutdown == "Stop" and on_exit)

    def is_cut_off(self, node: NodeStatus) -> bool:
        """Whether a template around a node is finished: what the node does is of no consequence any more."""
        while node.boundary_id:
            node = self.tree.nodes[node.boundary_id]
            if node.phase is not None and node.phase.finished:
                return True
        return False

    def add(self, node: NodeStatus) -> NodeStatus:
        """Take a new node into the tree."""
        if node.fulfilled and node.finished_at is None:
            node = replace(node, finished_at=node.started_at)
        node = self.tree.put(with_progress(node))
        if node.fulfilled or node.phase is Phase.RUNNING:
            self.notify(node.id)
        return node

    def mark(
        self,
        node: NodeStatus,
        phase: Phase,
        message: str | None = None,
        *,
        outputs: InputsOutputs | None = None,
        outbound: tuple[str, ...] | None = None,
    ) -> NodeStatus:
        """Change the phase of a node. message, outputs, outbound: left as they are if None."""
        changed = replace(
            node,
            phase=phase,
            message=node.message if message is None else message,
            outputs=node.outputs if outputs is None else outputs,
            outbound_nodes=node.outbound_nodes if outbound is None else outbound,
        )
        if changed.fulfilled and changed.finished_at is None:
            changed = replace(changed, finished_at=self.now)
        self.tree.put(with_progress(changed))
        if changed.phase is not node.phase:
            self.notify(node.id)
            if phase.finished and node.id in self.synchronized:
                self.synchronized.discard(node.id)
                self.awaiting.pop(node.id, None)
                self.locks.release(f"{self.lock_owner}/{node.id}")
        return self.tree.nodes[node.id]

    def notify(self, changed: str) -> None:
        """Tell the context that started a node that the node changed."""

        def tell() -> None:
            owner, node = self.owners.get(changed), self.tree.nodes[changed]
            if owner is not None and not self.is_cut_off(node):
                owner.child_changed(node)

        self.later(tell)


@dataclass(slots=True)
class GlobalOutputs:
    """Outputs of nodes with a globalName: the outputs of the workflow, in the order they appeared."""

    parameters: dict[str, object] = field(default_factory=dict)
    artifacts: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def to_json(self) -> InputsOutputs | None:
        """As the status of the workflow holds them, None if there are none."""
        data: dict[str, object] = {}
        if self.parameters:
            data["parameters"] = [{"name": name, "value": value} for name, value in self.parameters.items()]
        if self.artifacts:
            data["artifacts"] = list(self.artifacts.values())
        return data or None
