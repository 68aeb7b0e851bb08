"""The nodes of a run as Python objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from nbflow.clients.client import Client, LogLine, LogOptions, Request
from nbflow.commands.copying import copy_artifact
from nbflow.commands.values import text_of
from nbflow.errors import NotFoundError
from nbflow.notebook.artifacts import Artifact, Artifacts
from nbflow.notebook.failure import WorkflowFailedError
from nbflow.notebook.names import find, missing
from nbflow.notebook.rich import escape
from nbflow.notebook.rows import Filing
from nbflow.notebook.values import Logs, Outputs
from nbflow.spec.status import NodeStatus, NodeType, WorkflowObject, artifacts_by_name
from nbflow.views.durations import between
from nbflow.views.podnames import template_of
from nbflow.views.text import clean

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
        owner = f"node {status.display_name!r} ({status.phase})"
        outputs = Outputs(status.outputs, owner, artifacts_of(self._run.client, workflow, status, "outputs"))
        if status.phase and status.phase.bad and not outputs.parameters and not outputs.artifacts:
            raise told(self._run.client, workflow, [status])
        return outputs

    @property
    def inputs(self) -> Outputs:
        """Its input parameters and artifacts, as it got them. Waits for its start."""
        workflow = self._run.until(lambda w: find(w, self._name) is not None)
        status = self._found(workflow)
        artifacts = artifacts_of(self._run.client, workflow, status, "inputs")
        return Outputs(status.inputs, f"node {status.display_name!r}", artifacts)

    @property
    def artifacts(self) -> Artifacts:
        """Its output artifacts, also those of a node that failed. Waits for its end."""
        workflow = self._finished()
        return artifacts_of(self._run.client, workflow, self._found(workflow), "outputs")

    @property
    def started_at(self) -> datetime | None:
        """When it started, UTC; None before."""
        status = self.status
        return status.started_at if status else None

    @property
    def finished_at(self) -> datetime | None:
        """When it finished, UTC; None before."""
        status = self.status
        return status.finished_at if status else None

    @property
    def duration(self) -> timedelta | None:
        """How long it took, or takes so far; None before it starts."""
        status = self.status
        if status is None or status.started_at is None:
            return None
        return between(status.started_at, status.finished_at, datetime.now(UTC))

    @property
    def template(self) -> str:
        """The name of its template; "" before it starts."""
        status = self.status
        return template_of(status) if status else ""

    def wait(self) -> NodeView:
        """Wait until it is finished, whatever became of it."""
        self._found(self._finished())
        return self

    def resume(self) -> NodeView:
        """Let a suspend node go on."""
        return self._ask(Request("resume", (self._id(),)))

    def stop(self, message: str = "") -> NodeView:
        """End this node; the workflow goes on as if it had failed."""
        return self._ask(Request("stop", (self._id(),), message))

    def set(
        self, outputs: Mapping[str, object] | None = None, *, phase: str = "", message: str = ""
    ) -> NodeView:
        """Give a suspend node what it waits for. outputs: its supplied parameters; what is no text becomes JSON."""
        given = [{"name": key, "value": text_of(key, value)} for key, value in (outputs or {}).items()]
        return self._ask(
            Request("set", (self._id(),), message, phase, {"parameters": given} if given else None)
        )

    def __repr__(self) -> str:
        status = self.status
        phase = (status.phase if status else None) or "not started"
        told = f": {status.message}" if status and status.message else ""
        return clean(f"<node {self._name} {phase}{told}>")

    def _repr_html_(self) -> str:
        from nbflow.notebook.describe import node_html

        workflow = self._run.workflow
        status = find(workflow, self._name)
        return f"<code>{escape(repr(self))}</code>" if status is None else node_html(status)

    def _id(self) -> str:
        """Its id. Waits for its start."""
        return self._found(self._run.until(lambda w: find(w, self._name) is not None)).id

    def _ask(self, request: Request) -> NodeView:
        self._run.client.ask(self._run.workflow.name, request)
        return self

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


def artifacts_of(client: Client, workflow: WorkflowObject, status: NodeStatus, side: str) -> Artifacts:
    """The artifacts of a node. side: "inputs" or "outputs"."""
    known = artifacts_by_name(status.inputs if side == "inputs" else status.outputs)
    names = artifacts_by_name(status.outputs) if side == "inputs" else {}
    owner = f"node {status.display_name!r}"
    # A client looks among the outputs first: an input of the same name is fetched from whoever made it.
    found = {
        name: fetched(client, workflow, data)
        if name in names
        else _artifact(client, workflow, status.id, data)
        for name, data in known.items()
    }
    return Artifacts(found, owner)


def fetched(client: Client, workflow: WorkflowObject, data: Mapping[str, object]) -> Artifact:
    """An artifact that some node gave, found by where it is stored."""
    wanted = place(data)
    for node in workflow.status.nodes.values():
        for other in artifacts_by_name(node.outputs).values():
            if place(other) == wanted:
                return _artifact(
                    client, workflow, node.id, {**other, "name": data.get("name")}, str(other["name"])
                )
    return _artifact(client, workflow, workflow.name, data)


def place(data: Mapping[str, object]) -> object:
    """What says where an artifact is stored."""
    from nbflow.artifacts import place_of

    kind = place_of(data)
    return kind, data.get(kind)


def _artifact(
    client: Client, workflow: WorkflowObject, node_id: str, data: Mapping[str, object], name: str = ""
) -> Artifact:
    wanted = name or str(data.get("name", ""))
    return Artifact(data, lambda target: copy_artifact(client, workflow.name, node_id, wanted, target))


def pods_below(workflow: WorkflowObject, status: NodeStatus) -> list[NodeStatus]:
    """The pods that belong to a node: itself, or all that stands below its row."""
    if status.type in _PODS:
        return [status]
    nodes = workflow.status.nodes
    filing = Filing(nodes.values())
    members: dict[str, list[str]] = {}
    for node in nodes.values():
        if filing.has_row(node):
            members.setdefault(filing.parent(node), []).append(node.id)
    inside, todo = {status.id}, [status.id]
    while todo:
        new = [child for child in members.get(todo.pop(), ()) if child not in inside]
        inside.update(new)
        todo += new
    return [node for node in nodes.values() if node.id in inside and node.type in _PODS]


def read_logs(client: Client, workflow: WorkflowObject, pods: list[NodeStatus]) -> Logs:
    """Their lines; of several pods each line names its node."""
    if not pods:
        return Logs("")
    from nbflow.views.podnames import pod_names

    names = {name: pod.display_name for pod in pods for name in pod_names(workflow, pod)}
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
