"""A workflow as rows: what the live view and the snapshot show of it, in plain JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypedDict

from nbflow.clients.client import Client
from nbflow.commands.again import Repeating
from nbflow.notebook.approval import Form, forms
from nbflow.notebook.estimate import Estimate
from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowObject
from nbflow.views.phases import suspended
from nbflow.views.podnames import template_of

_MESSAGE = 500
_PARENTS = (NodeType.RETRY, NodeType.TASK_GROUP)


class Header(TypedDict):
    """What stands above everything. Times are milliseconds since 1970, None where unknown.

    suspended: somebody has to resume it; held: the whole workflow, not just a node. forms: what nodes wait for.
    estimate: seconds from start to end, as `earlier` runs took. can: verbs that are possible here beyond stop and go.
    """

    name: str
    phase: str
    message: str
    suspended: bool
    held: bool
    shutdown: str
    forms: list[Form]
    started: int | None
    finished: int | None
    progress: str
    target: str
    estimate: float | None
    earlier: int
    can: list[str]


class Row(TypedDict):
    """One node. parent: id of the row it stands under, "" for the root. pod: whether it can log."""

    id: str
    name: str
    type: str
    phase: str
    message: str
    template: str
    parent: str
    started: int | None
    finished: int | None
    pod: bool


def header(workflow: WorkflowObject, client: Client, estimate: Estimate | None = None) -> Header:
    """The header of a workflow of this client's."""
    status = workflow.status
    running = status.phase is Phase.RUNNING
    return Header(
        name=workflow.name,
        phase=str(status.phase or "Pending"),
        message=status.message[:_MESSAGE],
        suspended=running and suspended(workflow),
        held=running and workflow.spec.get("suspend") is True,
        shutdown=str(workflow.spec.get("shutdown") or ""),
        forms=forms(workflow) if running else [],
        started=millis(status.started_at),
        finished=millis(status.finished_at),
        progress=status.progress,
        target=client.target,
        estimate=estimate.seconds if estimate else None,
        earlier=estimate.runs if estimate else 0,
        can=["retry", "resubmit"] if isinstance(client, Repeating) else [],
    )


def rows(nodes: Iterable[NodeStatus], parents: Mapping[str, str]) -> list[Row]:
    """The rows of these nodes; step groups have none. parents: as `parents_of` gives them."""
    return [_row(node, parents) for node in nodes if node.type is not NodeType.STEP_GROUP]


def parents_of(nodes: Iterable[NodeStatus]) -> dict[str, str]:
    """Child id -> parent id where that is not the boundary: attempts of a retry, items of a loop."""
    return {child: node.id for node in nodes if node.type in _PARENTS for child in node.children}


def ordered(workflow: WorkflowObject) -> list[tuple[int, NodeStatus]]:
    """All nodes but step groups as a tree: depth and node, parents before their children."""
    nodes = [node for node in workflow.status.nodes.values() if node.type is not NodeType.STEP_GROUP]
    parents, known = parents_of(nodes), {node.id for node in nodes}
    below: dict[str, list[NodeStatus]] = {}
    for node in nodes:
        parent = parents.get(node.id) or node.boundary_id
        below.setdefault(parent if parent in known and parent != node.id else "", []).append(node)
    found: list[tuple[int, NodeStatus]] = []
    todo = [(0, node) for node in reversed(below.get("", []))]
    while todo:
        depth, node = todo.pop()
        found.append((depth, node))
        todo += [(depth + 1, child) for child in reversed(below.get(node.id, []))]
    return found


def _row(node: NodeStatus, parents: Mapping[str, str]) -> Row:
    return Row(
        id=node.id,
        name=node.display_name,
        type=node.type.value,
        phase=str(node.phase or "Pending"),
        message=node.message[:_MESSAGE],
        template=template_of(node),
        parent=parents.get(node.id) or node.boundary_id,
        started=millis(node.started_at),
        finished=millis(node.finished_at),
        pod=node.type in (NodeType.POD, NodeType.CONTAINER),
    )


def millis(at: datetime | None) -> int | None:
    """A time as JavaScript counts it."""
    return None if at is None else int(at.timestamp() * 1000)
