"""The protocol that notebook, command line and Python speak, whatever runs the workflows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from nbflow.spec.status import NodeStatus, WorkflowObject


@dataclass(frozen=True, slots=True)
class WorkflowUpdate:
    """One step of a watch.

    sequence: grows by one a step; a gap means something was lost (it never is, here).
    workflow: metadata, spec and status without nodes in every update but the first, which holds all nodes.
    nodes: in later updates, the nodes that changed since the one before, whole, children included.
    """

    sequence: int
    workflow: WorkflowObject
    nodes: tuple[NodeStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a pod's log, without its line end. `at` is None where the time is not known."""

    pod: str
    container: str
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Which lines to give. pods: names or node ids; empty for all. since: only lines younger than that.
    tail: the last lines of each pod. grep: a regular expression."""

    pods: tuple[str, ...] = ()
    container: str = "main"
    follow: bool = False
    tail: int | None = None
    since: timedelta | None = None
    since_time: datetime | None = None
    grep: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which workflows, or other objects, to list. phases: empty for all. labels, fields: Kubernetes' selector syntax.

    all_namespaces: not those of the client's own namespace alone. whole: with their nodes.
    """

    labels: str = ""
    fields: str = ""
    phases: tuple[str, ...] = ()
    running: bool = False
    completed: bool = False
    prefix: str = ""
    limit: int | None = None
    all_namespaces: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks of a workflow: see engine.decision.UserAsked for the verbs."""

    verb: str
    nodes: tuple[str, ...] = ()
    message: str = ""
    phase: str = ""
    outputs: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that was created: its kind and name, and whether it was there before."""

    kind: str
    name: str
    existed: bool = False
    object: Mapping[str, object] = field(default_factory=dict)


class Client(Protocol):
    """Submits workflows, watches and changes them. Errors: NotFoundError, ConflictError, NbflowError."""

    target: str

    def submit(self, workflow: Mapping[str, object]) -> WorkflowObject:
        """Store a linted Workflow (plain JSON; metadata.name or generateName) and see that it runs.
        Returns it with its name, uid and creation time. Raises ConflictError if the name is taken."""

    def get(self, name: str) -> WorkflowObject:
        """A workflow with all its nodes. "@latest" is the newest one. Raises NotFoundError."""

    def list(self, selection: Selection = Selection()) -> Sequence[WorkflowObject]:
        """Workflows, newest first; without their nodes, if the selection does not say otherwise."""

    def watch(self, name: str) -> Iterator[WorkflowUpdate]:
        """The workflow now, then each change in batches (at most 20 a second), until it is finished.
        Closing the iterator ends the watch at once."""

    def logs(self, name: str, options: LogOptions = LogOptions()) -> Iterator[LogLine]:
        """Log lines, pod by pod in order of start; with follow merged as they come, until the workflow is finished."""

    def ask(self, name: str, request: Request) -> WorkflowObject:
        """Stop, terminate, suspend, resume or set; waits until it was taken in. Raises ConflictError if
        the workflow's state does not allow it."""

    def delete(self, name: str) -> None:
        """Forget the workflow, its pods, logs and artifacts; ends it first if it runs."""

    def create(self, manifest: Mapping[str, object]) -> Stored:
        """Store a Secret, ConfigMap, PersistentVolumeClaim, WorkflowTemplate, ...; an existing one stays as it is."""

    def objects(self, kind: str, selection: Selection = Selection()) -> Sequence[Mapping[str, object]]:
        """Stored objects of a kind, chosen by their labels; the data of Secrets is left out."""

    def get_object(self, kind: str, name: str) -> Mapping[str, object]:
        """One of them. Raises NotFoundError."""

    def delete_object(self, kind: str, name: str) -> None:
        """Raises NotFoundError."""

    def artifact(self, name: str, node_id: str, artifact: str) -> bytes:
        """The bytes of an output artifact, or else of an input, as stored (an archive if it was archived)."""
