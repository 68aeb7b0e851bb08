"""A run: what became of a Workflow and of each of its nodes, as Argo writes it.

Plain dataclasses without pydantic: the engine keeps one per node, and every verb that only looks at
runs stays quick to start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from nbflow.spec.workflow import Workflow

InputsOutputs = Mapping[str, object]
"""Inputs or outputs of a node in Argo's JSON: `{"parameters": [{"name", "value"}], "artifacts": [...],
"result": "...", "exitCode": "..."}`. Never changed in place."""


class NodeType(StrEnum):
    """What a node stands for."""

    POD = "Pod"
    CONTAINER = "Container"
    STEPS = "Steps"
    STEP_GROUP = "StepGroup"
    DAG = "DAG"
    TASK_GROUP = "TaskGroup"
    RETRY = "Retry"
    SKIPPED = "Skipped"
    SUSPEND = "Suspend"
    HTTP = "HTTP"
    PLUGIN = "Plugin"


class Phase(StrEnum):
    """Where a node or workflow stands. Skipped and Omitted are for nodes only."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    SKIPPED = "Skipped"
    FAILED = "Failed"
    ERROR = "Error"
    OMITTED = "Omitted"

    @property
    def finished(self) -> bool:
        """Whether nothing will change any more. A daemoned node is handled by its caller."""
        return self not in (Phase.PENDING, Phase.RUNNING)

    @property
    def bad(self) -> bool:
        """Failed or Error."""
        return self in (Phase.FAILED, Phase.ERROR)


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What became of one node.

    id, name, display_name, boundary_id, children, outbound_nodes: as Argo forms them.
    children: filled on reading; the engine reports new edges in its Decision instead.
    phase None: made known, not started. times: aware UTC. progress: "done/total".
    extra: fields of Argo's that nbflow only carries along (templateRef, memoizationStatus,
    synchronizationStatus, nodeFlag, resourcesDuration, estimatedDuration, podIP, hostNodeName, ...), in JSON names.
    """

    id: str
    name: str
    display_name: str
    type: NodeType
    template_name: str = ""
    template_scope: str = ""
    phase: Phase | None = None
    boundary_id: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    progress: str = ""
    daemoned: bool = False
    inputs: InputsOutputs | None = None
    outputs: InputsOutputs | None = None
    children: tuple[str, ...] = ()
    outbound_nodes: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def fulfilled(self) -> bool:
        """Argo's word: finished, or a daemon that is up."""
        return self.phase is not None and (self.phase.finished or self.daemoned)

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Self:
        """From Argo's JSON; unknown fields are kept in `extra`."""
        return cls(**_read(data, _NODE_READERS))  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, object]:
        """To Argo's JSON; empty fields are left out, as Go's omitempty does."""
        return _write(self, _NODE_NAMES)


@dataclass(frozen=True, slots=True)
class WorkflowStatus:
    """What became of a workflow. `nodes` maps node ids to nodes, in the order they appeared."""

    phase: Phase | None = None
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    progress: str = ""
    nodes: Mapping[str, NodeStatus] = field(default_factory=dict)
    outputs: InputsOutputs | None = None
    extra: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Self:
        """From Argo's JSON; unknown fields are kept in `extra`."""
        return cls(**_read(data, _STATUS_READERS))  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, object]:
        """To Argo's JSON; empty fields are left out."""
        return _write(self, _STATUS_NAMES)


@dataclass(frozen=True, slots=True)
class WorkflowObject:
    """A Workflow as an API hands it over: metadata and spec untouched, status typed.

    The contract between whatever runs a workflow and whatever shows one: a local run, a run of
    Argo's, or a file that `kubectl get wf -o json` wrote.
    """

    metadata: Mapping[str, object]
    spec: Mapping[str, object]
    status: WorkflowStatus = field(default_factory=WorkflowStatus)
    api_version: str = "argoproj.io/v1alpha1"
    kind: str = "Workflow"

    @property
    def name(self) -> str:
        """metadata.name."""
        return str(self.metadata.get("name", ""))

    @property
    def uid(self) -> str:
        """metadata.uid; "" if the object was never stored."""
        return str(self.metadata.get("uid", ""))

    @property
    def namespace(self) -> str:
        """metadata.namespace; "" if none was given."""
        return str(self.metadata.get("namespace", ""))

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Self:
        """From Argo's JSON. Anything that is no mapping counts as empty."""
        parts = {key: data.get(key) for key in ("metadata", "spec", "status")}
        metadata, spec, status = (value if isinstance(value, Mapping) else {} for value in parts.values())
        return cls(metadata, spec, WorkflowStatus.from_dict(status))

    def to_dict(self) -> dict[str, object]:
        """To Argo's JSON."""
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": dict(self.metadata),
            "spec": dict(self.spec),
            "status": self.status.to_dict(),
        }

    def typed(self) -> Workflow:
        """The typed model of metadata and spec (imports pydantic)."""
        from nbflow.spec.workflow import Workflow

        return Workflow.from_dict({**self.to_dict(), "status": None})


def parse_time(value: object) -> datetime | None:
    """RFC 3339 text to aware UTC; None for absent."""
    if not isinstance(value, str) or not value:
        return None
    return datetime.fromisoformat(value).astimezone(UTC)


def format_time(value: datetime) -> str:
    """As Kubernetes writes times: whole seconds, UTC, "Z"."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parameter_values(values: InputsOutputs | None) -> dict[str, str]:
    """Name -> value of the parameters that have a value."""
    return {
        str(p["name"]): str(p["value"]) for p in _items(values, "parameters") if p.get("value") is not None
    }


def artifacts_by_name(values: InputsOutputs | None) -> dict[str, Mapping[str, object]]:
    """Name -> artifact, in Argo's JSON."""
    return {str(a["name"]): a for a in _items(values, "artifacts")}


def _items(values: InputsOutputs | None, key: str) -> Iterable[Mapping[str, object]]:
    found = (values or {}).get(key)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list | tuple) else []


def _phase(value: object) -> Phase | None:
    return Phase(str(value)) if value else None


def _nodes(value: object) -> dict[str, NodeStatus]:
    return (
        {key: NodeStatus.from_dict(node) for key, node in value.items()} if isinstance(value, Mapping) else {}
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else ()


def _plain(value: object) -> object:
    return value


def _text(value: object) -> str:
    return "" if value is None else str(value)


_NODE_READERS = {
    "id": ("id", _text),
    "name": ("name", _text),
    "displayName": ("display_name", _text),
    "type": ("type", lambda value: NodeType(str(value))),
    "templateName": ("template_name", _text),
    "templateScope": ("template_scope", _text),
    "phase": ("phase", _phase),
    "boundaryID": ("boundary_id", _text),
    "message": ("message", _text),
    "startedAt": ("started_at", parse_time),
    "finishedAt": ("finished_at", parse_time),
    "progress": ("progress", _text),
    "daemoned": ("daemoned", bool),
    "inputs": ("inputs", _plain),
    "outputs": ("outputs", _plain),
    "children": ("children", _texts),
    "outboundNodes": ("outbound_nodes", _texts),
}
_STATUS_READERS = {
    "phase": ("phase", _phase),
    "message": ("message", _text),
    "startedAt": ("started_at", parse_time),
    "finishedAt": ("finished_at", parse_time),
    "progress": ("progress", _text),
    "nodes": ("nodes", _nodes),
    "outputs": ("outputs", _plain),
}
_NODE_NAMES = {attribute: key for key, (attribute, _) in _NODE_READERS.items()}
_STATUS_NAMES = {attribute: key for key, (attribute, _) in _STATUS_READERS.items()}


def _read(data: Mapping[str, object], readers: Mapping[str, tuple[str, object]]) -> dict[str, object]:
    known: dict[str, object] = {}
    extra: dict[str, object] = {}
    for key, value in data.items():
        if key in readers:
            attribute, read = readers[key]
            known[attribute] = read(value)  # type: ignore[operator]
        else:
            extra[key] = value
    return {**known, "extra": extra} if extra else known


def _write(record: NodeStatus | WorkflowStatus, names: Mapping[str, str]) -> dict[str, object]:
    data: dict[str, object] = {}
    for attribute in fields(record):
        value = getattr(record, attribute.name)
        if attribute.name == "extra":
            data.update(value)
        elif (
            value is None
            or value == ""
            or value is False
            or (not isinstance(value, str) and value in ((), {}))
        ):
            continue
        elif attribute.name == "nodes":
            data["nodes"] = {key: node.to_dict() for key, node in value.items()}
        else:
            data[names[attribute.name]] = _json(value)
    return data


def _json(value: object) -> object:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, StrEnum):
        return value.value
    return list(value) if isinstance(value, tuple) else value
