"""The node tree of one workflow: nodes by id, edges, and the counts that decisions need.

The counts are kept up with every change, so that no decision has to look at all nodes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from nbflow.engine.names import node_id, pod_name
from nbflow.engine.progress import Progress
from nbflow.spec.status import NodeStatus, NodeType, Phase
from nbflow.spec.sums import EXECUTABLE, RESOURCES

_ACTIVE = (Phase.PENDING, Phase.RUNNING)
_COUNTED = (NodeType.POD, NodeType.STEPS, NodeType.DAG)
_RUN = (NodeType.POD, NodeType.HTTP, NodeType.PLUGIN)
_NOTHING: dict[str, None] = {}


@dataclass(slots=True)
class Counts:
    """What runs below one boundary: its own nodes, not those of templates further down.

    active_pods: pods that are pending or running. active: these and steps and DAGs. bad: failed or errored ones.
    """

    active_pods: int = 0
    active: int = 0
    bad: int = 0


class NodeTree:
    """All nodes of a workflow and what changed since the last decision."""

    def __init__(self, workflow: str) -> None:
        self.workflow = workflow
        self.nodes: dict[str, NodeStatus] = {}
        self.counts: defaultdict[str, Counts] = defaultdict(Counts)
        self.newly_bad: Counter[str] = Counter()
        self.active_pods = 0
        self.freed: dict[str, None] = {}
        self.progress = Progress()
        self.resources: Counter[str] = Counter()
        self.unfinished: dict[str, None] = {}
        self.bad: dict[str, None] = {}
        self.daemons: dict[str, None] = {}
        self._children: dict[str, dict[str, None]] = {}
        self._pods: dict[str, str] = {}
        self._changed: dict[str, None] = {}
        self._edges: list[tuple[str, str]] = []

    def load(self, nodes: Iterable[NodeStatus], edges: Iterable[tuple[str, str]]) -> None:
        """Take in what was stored; nothing of it counts as changed."""
        for node in nodes:
            self.put(node)
        for parent, child in edges:
            self.connect(parent, child)
        self.take_changes()

    def named(self, name: str) -> NodeStatus | None:
        """The node of that full name, None if there is none (yet)."""
        return self.nodes.get(node_id(self.workflow, name))

    def of_pod(self, pod: str) -> NodeStatus | None:
        """The node that a pod runs, None if no unfinished node has a pod of that name."""
        found = self._pods.get(pod)
        return self.nodes[found] if found else None

    def template_of(self, node: NodeStatus) -> str:
        """The name of a node's template."""
        reference = node.extra.get("templateRef")
        return str(reference.get("template", "")) if isinstance(reference, dict) else node.template_name

    def pod_of(self, node: NodeStatus) -> str:
        """The name of the pod that runs a node."""
        return pod_name(self.workflow, node.name, self.template_of(node))

    def put(self, node: NodeStatus) -> NodeStatus:
        """Store a new or changed node."""
        old = self.nodes.get(node.id)
        if old is not None:
            if old == node:
                return node
            self._count(old, -1)
        self.nodes[node.id] = node
        self._count(node, +1)
        self._index(node)
        self._changed[node.id] = None
        return node

    def connect(self, parent: str, child: str) -> None:
        """Make `child` a child of `parent` (ids); a second time does nothing."""
        children = self._children.setdefault(parent, {})
        if child not in children:
            children[child] = None
            self._edges.append((parent, child))

    def children(self, parent: str) -> Collection[str]:
        """The ids of a node's children, in order."""
        return self._children.get(parent, _NOTHING).keys()

    def containers(self, pod: str) -> list[NodeStatus]:
        """The nodes of the containers of a containerSet's pod."""
        seen: dict[str, NodeStatus] = {}
        pending = list(self.children(pod))
        while pending:
            node = self.nodes.get(pending.pop())
            if (
                node is not None
                and node.type is NodeType.CONTAINER
                and node.boundary_id == pod
                and node.id not in seen
            ):
                seen[node.id] = node
                pending += self.children(node.id)
        return list(seen.values())

    def take_changes(self) -> tuple[tuple[NodeStatus, ...], tuple[tuple[str, str], ...]]:
        """Nodes and edges that changed since the last call."""
        nodes = tuple(self.nodes[name] for name in self._changed)
        edges = tuple(self._edges)
        self._changed.clear()
        self._edges.clear()
        return nodes, edges

    def _add_resources(self, node: NodeStatus, sign: int) -> None:
        used = node.extra.get(RESOURCES)
        for name, seconds in used.items() if isinstance(used, Mapping) else ():
            self.resources[name] += sign * seconds

    def _index(self, node: NodeStatus) -> None:
        for index, belongs in (
            (self.unfinished, not (node.phase and node.phase.finished)),
            (self.bad, node.phase is not None and node.phase.bad),
            (self.daemons, node.daemoned),
        ):
            if belongs:
                index[node.id] = None
            else:
                index.pop(node.id, None)
        if node.type in _RUN:
            if node.id in self.unfinished:
                self._pods[self.pod_of(node)] = node.id
            else:
                self._pods.pop(self.pod_of(node), None)

    def _count(self, node: NodeStatus, sign: int) -> None:
        if node.type in EXECUTABLE:
            self.progress.add(node.progress, sign)
            self._add_resources(node, sign)
        if node.type not in _COUNTED:
            return
        if sign < 0:
            self.freed[node.boundary_id] = None
        counts = self.counts[node.boundary_id]
        if node.phase in _ACTIVE:
            counts.active += sign
            if node.type is NodeType.POD and not waits_for_lock(node):
                counts.active_pods += sign
                self.active_pods += sign
        elif node.phase is not None and node.phase.bad:
            counts.bad += sign
            self.newly_bad[node.boundary_id] += sign


def waits_for_lock(node: NodeStatus) -> bool:
    """Whether a node waits for a mutex or semaphore, so that it has no pod yet."""
    status = node.extra.get("synchronizationStatus")
    return isinstance(status, dict) and bool(status.get("waiting"))
