"""A workflow as rows: what the live view and the snapshot show of it, in plain JSON."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TypedDict

from nbflow.clients.client import Client
from nbflow.commands.again import Repeating
from nbflow.notebook.approval import Form, forms
from nbflow.notebook.estimate import Estimate
from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowObject
from nbflow.views.phases import SIGNS, suspended
from nbflow.views.podnames import template_of

_MESSAGE = 500
_PARENTS = (NodeType.RETRY, NodeType.TASK_GROUP)
_LOOPS = (NodeType.TASK_GROUP, NodeType.STEP_GROUP)
_ROUND = re.compile(r"(.+?)\(\d+:")


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


class Filing:
    """Under which row each node stands; it learns as nodes become known.

    Attempts stand under their retry, rounds of a loop under what stands for the loop: the task group of a DAG, the
    group of steps. Other groups of steps have no row.
    """

    def __init__(self, nodes: Iterable[NodeStatus] = ()) -> None:
        self._parents: dict[str, str] = {}  # where that is not the boundary
        self._groups: dict[str, str] = {}  # name of a group of steps -> id
        self._loops: dict[str, dict[str, None]] = {}  # id of a group of steps -> its loops, in order
        self.learn(nodes)

    def learn(self, nodes: Iterable[NodeStatus]) -> None:
        """Take in nodes that are new or have changed."""
        nodes = tuple(nodes)
        self._groups.update((node.name, node.id) for node in nodes if node.type is NodeType.STEP_GROUP)
        for node in nodes:
            if node.type in _PARENTS:
                self._parents.update(dict.fromkeys(node.children, node.id))
            elif round_ := _ROUND.match(node.display_name):
                group = self._groups.get(node.name.removesuffix(f".{node.display_name}"))
                if group:
                    self._loops.setdefault(group, {})[round_[1]] = None
                    self._parents.setdefault(node.id, group)

    def has_row(self, node: NodeStatus) -> bool:
        """Whether the node is shown."""
        return node.type is not NodeType.STEP_GROUP or node.id in self._loops

    def parent(self, node: NodeStatus) -> str:
        """Id of the node whose row it stands under; "" for none."""
        return self._parents.get(node.id) or node.boundary_id

    def name(self, node: NodeStatus) -> str:
        """What its row is called: a group of steps as the loops in it."""
        return ", ".join(self._loops.get(node.id, ())) or node.display_name


def rows(nodes: Iterable[NodeStatus], filing: Filing) -> list[Row]:
    """The rows of these nodes."""
    return [_row(node, filing) for node in nodes if filing.has_row(node)]


def ordered(workflow: WorkflowObject, *, crowd: int = 0) -> list[tuple[int, NodeStatus]]:
    """The nodes that have rows as a tree: depth and node, parents before their children.

    crowd: of a loop with more rounds only those that went wrong; the message of the loop says how all of them stand.
    """
    filing = Filing(workflow.status.nodes.values())
    nodes = [
        replace(node, display_name=filing.name(node)) if node.type is NodeType.STEP_GROUP else node
        for node in workflow.status.nodes.values()
        if filing.has_row(node)
    ]
    known = {node.id for node in nodes}
    below: dict[str, list[NodeStatus]] = {}
    for node in nodes:
        parent = filing.parent(node)
        below.setdefault(parent if parent in known and parent != node.id else "", []).append(node)
    found: list[tuple[int, NodeStatus]] = []
    todo = [(0, node) for node in reversed(below.get("", []))]
    while todo:
        depth, node = todo.pop()
        inside = below.get(node.id, [])
        if crowd and len(inside) > crowd and node.type in _LOOPS:
            node = replace(node, message=node.message or _standing(inside))
            inside = [child for child in inside if child.phase and child.phase.bad]
        found.append((depth, node))
        todo += [(depth + 1, child) for child in reversed(inside)]
    return found


def _standing(nodes: Iterable[NodeStatus]) -> str:
    """How many are in which phase."""
    found = Counter(node.phase or Phase.PENDING for node in nodes)
    return "  ".join(f"{SIGNS[phase]} {found[phase]}" for phase in Phase if found[phase])


def _row(node: NodeStatus, filing: Filing) -> Row:
    return Row(
        id=node.id,
        name=filing.name(node),
        type=node.type.value,
        phase=str(node.phase or "Pending"),
        message=node.message[:_MESSAGE],
        template=template_of(node),
        parent=filing.parent(node),
        started=millis(node.started_at),
        finished=millis(node.finished_at),
        pod=node.type in (NodeType.POD, NodeType.CONTAINER),
    )


def millis(at: datetime | None) -> int | None:
    """A time as JavaScript counts it."""
    return None if at is None else int(at.timestamp() * 1000)
