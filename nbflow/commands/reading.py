"""Look at workflows: get, list, watch, wait, logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nbflow.clients.client import LogLine, LogOptions, Selection, WorkflowUpdate
from nbflow.errors import NbflowError, NotFoundError
from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowObject
from nbflow.spec.sums import with_sums
from nbflow.views.podnames import pod_name

if TYPE_CHECKING:
    from nbflow.clients.client import Client

LATEST = "@latest"


def get(client: Client, name: str) -> WorkflowObject:
    """A workflow with its nodes, and what they sum up. Raises NotFoundError."""
    return _summed(client.get(name))


def list_workflows(client: Client, selection: Selection = Selection()) -> Sequence[WorkflowObject]:
    """Workflows without nodes, in the order of `argo list`: those that run first, then by time, newest first."""
    return sorted(client.list(selection), key=_finished)


def resolve(client: Client, name: str) -> str:
    """The name behind "@latest"; any other as it is."""
    if name != LATEST:
        return name
    newest = client.list(Selection(limit=1))
    if not newest:
        raise NotFoundError("there is no workflow yet", fix="nbflow submit FILE")
    return newest[0].name


def follow(client: Client, name: str) -> Iterator[WorkflowObject]:
    """The workflow with all its nodes, now and after every change, until it is finished."""
    nodes: dict[str, NodeStatus] = {}
    for update in client.watch(name):
        yield merge(nodes, update)


def merge(nodes: dict[str, NodeStatus], update: WorkflowUpdate) -> WorkflowObject:
    """Take an update into `nodes` and give the whole workflow."""
    nodes.update(update.workflow.status.nodes)
    nodes.update((node.id, node) for node in update.nodes)
    return replace(update.workflow, status=replace(update.workflow.status, nodes=dict(nodes)))


def wait(client: Client, name: str, take: Callable[[WorkflowUpdate], None] | None = None) -> WorkflowObject:
    """The finished workflow. Blocks until then. take: gets each update meanwhile. Raises NotFoundError."""
    last = None
    nodes: dict[str, NodeStatus] = {}
    for update in client.watch(name):
        nodes.update(update.workflow.status.nodes)
        nodes.update((node.id, node) for node in update.nodes)
        last = update.workflow
        if take is not None:
            take(update)
    if last is None:
        return get(client, name)
    return _summed(replace(last, status=replace(last.status, nodes=nodes)))


def _summed(workflow: WorkflowObject) -> WorkflowObject:
    return replace(workflow, status=replace(workflow.status, nodes=with_sums(workflow.status.nodes)))


def succeeded(workflow: WorkflowObject) -> bool:
    """Whether it is finished and all went well."""
    return workflow.status.phase is Phase.SUCCEEDED


def logs(client: Client, name: str, options: LogOptions = LogOptions()) -> Iterator[LogLine]:
    """The log lines of a workflow; of some of its pods if `options` names pods, nodes or display names.

    Raises NotFoundError if a pod is not among them.
    """
    if options.pods:
        workflow = client.get(name)
        pods = tuple(pod for text in options.pods for pod in _pods_named(workflow, text))
        options = replace(options, pods=pods)
    return client.logs(name, options)


def find_pod(client: Client, text: str) -> tuple[str, tuple[str, ...]]:
    """What `logs TEXT` means: a workflow (and no pod), or the workflow of the pod of that name, and the pod.

    Raises NotFoundError if there is neither.
    """
    try:
        return client.get(text).name, ()
    except NotFoundError:
        missing = NotFoundError(
            f"no workflow and no pod is named {text!r}",
            fix="`nbflow list` shows workflows, `nbflow get NAME` pods",
        )
    names = sorted((w.name for w in client.list() if text.startswith(f"{w.name}-")), key=len, reverse=True)
    for name in names:
        pods = pods_of(client.get(name))
        if text in pods or any(
            text == node.id for node in pods.values()
        ):  # Argo of old names pods by node ids
            return name, (text,)
    raise missing


def pods_of(workflow: WorkflowObject) -> dict[str, NodeStatus]:
    """Pod name -> node, in order of appearance."""
    pods = (node for node in workflow.status.nodes.values() if node.type is NodeType.POD)
    return {pod_name(workflow, node): node for node in pods}


def _pods_named(workflow: WorkflowObject, text: str) -> list[str]:
    pods = pods_of(workflow)
    if text in pods:
        return [text]
    found = [pod for pod, node in pods.items() if text in (node.id, node.name, node.display_name)]
    if not found:
        shown = ", ".join(list(pods)[:5]) or "none yet"
        raise NotFoundError(f"workflow {workflow.name!r} has no pod {text!r}", fix=f"its pods: {shown}")
    return found


def _finished(workflow: WorkflowObject) -> bool:
    return workflow.status.finished_at is not None


def check_phases(phases: Sequence[str]) -> tuple[str, ...]:
    """The phases in Argo's spelling. Raises NbflowError for a word that is no phase."""
    known: Mapping[str, str] = {phase.value.lower(): phase.value for phase in Phase}
    for phase in phases:
        if phase.lower() not in known:
            raise NbflowError(f"there is no phase {phase!r}", fix=f"one of {', '.join(known.values())}")
    return tuple(known[phase.lower()] for phase in phases)
