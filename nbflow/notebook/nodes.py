"""The nodes of a run as Python objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from nbflow.clients.client import Client, LogLine, LogOptions
from nbflow.errors import NotFoundError
from nbflow.notebook.failure import WorkflowFailedError
from nbflow.notebook.names import find, missing
from nbflow.notebook.values import Logs, Outputs
from nbflow.spec.status import NodeStatus, NodeType, WorkflowObject

_PODS = (NodeType.POD, NodeType.CONTAINER)
TAIL = 8
"""So many of its last lines are told of a failed node."""


class Source(Protocol):
    """Where nodes come from: a `Run`."""

    @property
    def client(self) -> Client: ...
    @property
    def workflow(self) -> WorkflowObject: ...
    def until(self, known: Callable[[WorkflowObject], bool]) -> WorkflowObject: ...


class NodeView:
    """One node of a run. What it gives back waits until the node is finished; the rest answers at once.

    name: id, name or display name; the node may still be to come.
    """

    def __init__(self, run: Source, name: str) -> None:
        self._run, self._name = run, name

    @property
    def name(self) -> str:
        """As it was asked for."""
        return self._name

    @property
    def status(self) -> NodeStatus | None:
        """All that is known now; None before the node exists."""
        return find(self._run.workflow, self._name)

    @property
    def phase(self) -> str | None:
        """Where it stands now; None before it starts."""
        status = self.status
        return status.phase.value if status and status.phase else None

    @property
    def message(self) -> str:
        """Why it stands there; "" if there is nothing to say."""
        status = self.status
        return status.message if status else ""

    @property
    def logs(self) -> Logs:
        """All its lines, also those of its children. Waits for its end; a failed node has logs too."""
        workflow = self._finished()
        status = self._found(workflow)
        return read_logs(self._run.client, workflow, pods_below(workflow, status))

    @property
    def outputs(self) -> Outputs:
        """Its outputs. Waits for its end. Raises WorkflowFailedError if it failed before it gave any."""
        workflow = self._finished()
        status = self._found(workflow)
        outputs = Outputs(status.outputs, f"node {status.display_name!r} ({status.phase})")
        if status.phase and status.phase.bad and not outputs.parameters and not outputs.artifacts:
            raise told(self._run.client, workflow, [status])
        return outputs

    @property
    def inputs(self) -> Outputs:
        """Its input parameters and artifacts, as it got them. Waits for its start."""
        workflow = self._run.until(lambda w: find(w, self._name) is not None)
        status = self._found(workflow)
        return Outputs(status.inputs, f"node {status.display_name!r}")

    def wait(self) -> NodeView:
        """Wait until it is finished, whatever became of it."""
        self._found(self._finished())
        return self

    def __repr__(self) -> str:
        status = self.status
        phase = (status.phase if status else None) or "not started"
        return f"<node {self._name} {phase}{': ' + status.message if status and status.message else ''}>"

    def _finished(self) -> WorkflowObject:
        return self._run.until(self._fulfilled)

    def _fulfilled(self, workflow: WorkflowObject) -> bool:
        status = find(workflow, self._name)
        return status is not None and status.fulfilled

    def _found(self, workflow: WorkflowObject) -> NodeStatus:
        status = find(workflow, self._name)
        if status is None:
            raise missing(workflow, self._name)
        return status


class Nodes(Mapping[str, NodeView]):
    """The nodes as they are now, by display name; by whole name where that is not enough."""

    def __init__(self, run: Source) -> None:
        self._run, self._workflow = run, run.workflow
        shown = [n for n in self._workflow.status.nodes.values() if n.type is not NodeType.STEP_GROUP]
        counts: dict[str, int] = {}
        for node in shown:
            counts[node.display_name] = counts.get(node.display_name, 0) + 1
        self._by_name = {(n.display_name if counts[n.display_name] == 1 else n.name): n for n in shown}

    def __getitem__(self, name: str) -> NodeView:
        if name not in self._by_name and find(self._workflow, name) is None:
            raise missing(self._workflow, name)
        return NodeView(self._run, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        from nbflow.views.tree import tree

        return tree(self._workflow) or f"workflow {self._workflow.name} has no nodes yet"

    def _repr_html_(self) -> str:
        from nbflow.notebook.snapshot import node_table

        return node_table(self._workflow)


def pods_below(workflow: WorkflowObject, status: NodeStatus) -> list[NodeStatus]:
    """The pods that belong to a node: itself, the attempts of a retry, all inside steps and DAGs."""
    if status.type in _PODS:
        return [status]
    nodes = workflow.status.nodes
    inside, todo = {status.id}, [status.id]
    members: dict[str, list[str]] = {}
    for node in nodes.values():
        members.setdefault(node.boundary_id, []).append(node.id)
    while todo:
        parent = nodes[todo.pop()]
        attempts = parent.children if parent.type in (NodeType.RETRY, NodeType.TASK_GROUP) else ()
        for child in (*attempts, *members.get(parent.id, ())):
            if child not in inside and child in nodes:
                inside.add(child)
                todo.append(child)
    return [node for node in nodes.values() if node.id in inside and node.type in _PODS]


def read_logs(client: Client, workflow: WorkflowObject, pods: list[NodeStatus]) -> Logs:
    """Their lines; of several pods each line names its node."""
    if not pods:
        return Logs("")
    from nbflow.views.podnames import pod_name

    names = {pod_name(workflow, pod): pod.display_name for pod in pods}
    lines = _lines(client, workflow, LogOptions(pods=tuple(pod.id for pod in pods)))
    if len(pods) == 1:
        return Logs("\n".join(line.text for line in lines))
    return Logs("\n".join(f"{names.get(line.pod, line.pod)}: {line.text}" for line in lines))


def told(client: Client, workflow: WorkflowObject, bad: list[NodeStatus]) -> WorkflowFailedError:
    """The error for a workflow, with what the nodes at fault logged last."""
    tails = {node.id: tail(client, workflow, node, TAIL) for node in bad[:3] if node.type in _PODS}
    return WorkflowFailedError(workflow, bad, tails)


def tail(client: Client, workflow: WorkflowObject, node: NodeStatus, count: int) -> list[str]:
    """The last lines of a pod."""
    return [line.text for line in _lines(client, workflow, LogOptions(pods=(node.id,), tail=count))]


def _lines(client: Client, workflow: WorkflowObject, options: LogOptions) -> list[LogLine]:
    """Lines of a log; none of a pod that never was (its node failed before)."""
    try:
        return list(client.logs(workflow.name, options))
    except NotFoundError:
        return []
