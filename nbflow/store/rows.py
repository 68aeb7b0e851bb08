"""What the store hands over: rows as typed records, and how they become Argo's objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from nbflow.spec.status import NodeStatus, WorkflowObject, WorkflowStatus

JsonObject = Mapping[str, object]

encode = json.JSONEncoder(separators=(",", ":")).encode
"""Compact JSON. A lone surrogate in a value is escaped, so that every text can be stored."""


def decode(text: str) -> JsonObject:
    """The JSON object that the store itself wrote."""
    return cast("JsonObject", json.loads(text))


@dataclass(frozen=True, slots=True)
class Submitted:
    """A workflow as a controller takes it in: metadata and spec as JSON texts, read when needed.

    status: the nodes that count as done from the start, "" for none.
    """

    key: int
    uid: str
    name: str
    target: str
    seed: int
    metadata: str
    spec: str
    status: str = ""

    def manifest(self) -> dict[str, object]:
        """The Workflow without a status. Raises ValueError if the row is damaged."""
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": json.loads(self.metadata),
            "spec": json.loads(self.spec),
        }


@dataclass(frozen=True, slots=True)
class PodRow:
    """A pod that was decided. pod: its JSON text while it may still be needed."""

    name: str
    node: str
    state: str
    pod: str | None = None


@dataclass(frozen=True, slots=True)
class RequestRow:
    """Something a person asked. workflow: key of the workflow, None if it is about the controller."""

    key: int
    workflow: int | None
    verb: str
    body: JsonObject


@dataclass(frozen=True, slots=True)
class Standing:
    """A workflow's own status at a moment. sequence: of the commit that wrote it; 0 before a controller took it in."""

    sequence: int = 0
    status: WorkflowStatus = field(default_factory=WorkflowStatus)
    labels: Mapping[str, str] | None = None
    suspended: bool | None = None
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A workflow at a moment: what was submitted and how it stands. Its nodes are read apart."""

    key: int
    uid: str
    name: str
    metadata: JsonObject
    spec: JsonObject
    standing: Standing

    def object(self, nodes: Mapping[str, NodeStatus] | None = None) -> WorkflowObject:
        """As an API shows it."""
        standing = self.standing
        metadata, spec = dict(self.metadata), dict(self.spec)
        if standing.labels:
            given = metadata.get("labels")
            metadata["labels"] = {**(given if isinstance(given, Mapping) else {}), **standing.labels}
        if standing.suspended is not None:
            spec.pop("suspend", None)
            if standing.suspended:
                spec["suspend"] = True
        status = replace(standing.status, nodes=nodes) if nodes else standing.status
        return WorkflowObject(metadata, spec, status)


@dataclass(slots=True)
class Edges:
    """The edges of one workflow, as far as they were read. last: key of the newest one; children: by parent."""

    workflow: int = 0
    last: int = 0
    children: dict[str, list[str]] = field(default_factory=dict)


def standing_of(row: Sequence[object] | None) -> Standing:
    """From the columns sequence, status, labels, suspended, finished."""
    if row is None or row[0] is None:
        return Standing()
    sequence, status, labels, suspended, finished = row
    return Standing(
        int(str(sequence)),
        WorkflowStatus.from_dict(decode(str(status))),
        cast("Mapping[str, str]", decode(str(labels))),
        bool(suspended),
        bool(finished),
    )


def with_children(nodes: Iterable[NodeStatus], edges: Iterable[tuple[str, str]]) -> dict[str, NodeStatus]:
    """The nodes by their ids, children put together from the edges."""
    children: dict[str, list[str]] = {}
    for parent, child in edges:
        children.setdefault(parent, []).append(child)
    return {
        node.id: replace(node, children=tuple(children[node.id])) if node.id in children else node
        for node in nodes
    }
