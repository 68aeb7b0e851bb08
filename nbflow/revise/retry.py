"""What a retry changes in a finished Workflow, as Argo's command line changes it: what failed goes, what is above it
runs again, what succeeded stays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from nbflow.errors import ConflictError
from nbflow.revise.ancestry import Ancestry, Node, children_of, is_bad, path_of
from nbflow.revise.submit import JSONObject, override_parameters
from nbflow.spec.status import format_time

COMPLETED = "workflows.argoproj.io/completed"
ARCHIVING = "workflows.argoproj.io/workflow-archiving-status"
_EXECUTES = ("Container", "Pod", "HTTP", "Plugin")


@dataclass(frozen=True, slots=True)
class RetryOptions:
    """restart_successful: start the nodes of `node_field_selector` anew although they succeeded.
    parameters: NAME=VALUE, in place of those of the workflow."""

    restart_successful: bool = False
    node_field_selector: str = ""
    parameters: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, data: JSONObject) -> Self:
        """From what `to_dict` gives."""
        given = data.get("parameters")
        parameters = tuple(map(str, given)) if isinstance(given, list) else ()
        return cls(bool(data.get("restartSuccessful")), str(data.get("nodeFieldSelector") or ""), parameters)

    def to_dict(self) -> dict[str, object]:
        """As JSON, in the words of Argo's API."""
        return {
            "restartSuccessful": self.restart_successful,
            "nodeFieldSelector": self.node_field_selector,
            "parameters": list(self.parameters),
        }


@dataclass(frozen=True, slots=True)
class Retried:
    """The Workflow as it is to be stored, and the nodes whose pods are to be deleted before."""

    workflow: dict[str, object]
    pods: tuple[Node, ...]


def retry(
    workflow: JSONObject, options: RetryOptions, now: datetime, *, chosen: Collection[str] = ()
) -> Retried:
    """The Workflow as a retry makes it. chosen: ids of the nodes that the selector names.

    Raises ConflictError if its phase does not allow a retry.
    """
    metadata, status = _mapping(workflow.get("metadata")), _mapping(workflow.get("status"))
    _check_phase(str(metadata.get("name", "")), str(status.get("phase") or ""), options)
    nodes = {key: _mapping(node) for key, node in _mapping(status.get("nodes")).items()}
    name = str(metadata.get("name", ""))
    restarted = set(chosen) if options.restart_successful and options.node_field_selector else set()
    tree = Ancestry.of(nodes, name)
    reset, deleted = _affected(tree, restarted)
    if options.parameters:
        deleted |= {
            below
            for key in reset - deleted
            if tree.type_of(key) in {"TaskGroup", "StepGroup"}
            for below in tree.below(key)
        }
    handlers = {key for key, node in nodes.items() if str(node.get("name", "")).startswith(f"{name}.onExit")}
    kept = {
        key: _without(reset_node(node, now) if key in reset else node, deleted)
        for key, node in nodes.items()
        if key not in deleted and (key not in handlers or key in reset)
    }
    renewed = _renewed(workflow, options.parameters, now)
    renewed["status"] = {**_mapping(renewed["status"]), "nodes": kept}
    return Retried(renewed, _pods(tree, deleted, name))


def _check_phase(name: str, phase: str, options: RetryOptions) -> None:
    where = f"workflow {name}"
    if phase in {"Failed", "Error"}:
        return
    if phase == "Succeeded":
        if options.restart_successful and options.node_field_selector:
            return
        raise ConflictError(
            "To retry a succeeded workflow, set the options restartSuccessful and nodeFieldSelector",
            where=where,
            fix="--restart-successful --node-field-selector displayName=NAME",
        )
    raise ConflictError(
        f"Cannot retry a workflow in phase {phase}", where=where, fix="wait until it is finished"
    )


def _affected(tree: Ancestry, restarted: set[str]) -> tuple[set[str], set[str]]:
    """The nodes that run again, and those that go. What goes wins."""
    start = restarted | {key for key in tree.nodes if _failed(tree, key, restarted)}
    reset: set[str] = set()
    deleted: set[str] = set()
    for key in tree.reachable:  # from the top: a node below one that goes needs no look of its own
        if key in start and key not in deleted:
            above, below = path_of(tree, key)
            reset |= above
            deleted |= below
    return reset - deleted, deleted


def _failed(tree: Ancestry, key: str, restarted: set[str]) -> bool:
    node = tree.nodes[key]
    if not is_bad(node) or node.get("type") not in _EXECUTES:
        return False
    judged = key
    if _mapping(node.get("nodeFlag")).get("retried"):
        judged = next(
            (k for k, n in tree.nodes.items() if n.get("type") == "Retry" and key in children_of(n)), key
        )
    return not tree.has_succeeded_below(judged, lambda below: below in restarted)


def reset_node(node: Node, now: datetime) -> Node:
    """The node as it runs again; skipped ones stay skipped, and supplied outputs are asked for again."""
    changed = {key: value for key, value in node.items() if key not in {"message", "finishedAt"}}
    changed["phase"] = "Skipped" if node.get("phase") == "Skipped" else "Running"
    changed["startedAt"] = format_time(now)
    changed["finishedAt"] = None
    outputs = _mapping(node.get("outputs"))
    if node.get("type") == "Suspend" and isinstance(parameters := outputs.get("parameters"), list):
        asked = [{"name": _mapping(p).get("name"), "valueFrom": {"supplied": {}}} for p in parameters]
        changed["outputs"] = {**outputs, "parameters": asked}
    return changed


def _without(node: Node, deleted: set[str]) -> Node:
    """The node, without what is deleted among its children and outbound nodes."""
    lists = {
        key: [one for one in found if one not in deleted]
        for key in ("children", "outboundNodes")
        if isinstance(found := node.get(key), list)
    }
    return {**node, **lists}


def _pods(tree: Ancestry, deleted: set[str], name: str) -> tuple[Node, ...]:
    """Nodes whose pods go: deleted ones, and the exit handler with all below."""
    handler = [key for key, node in tree.nodes.items() if node.get("name") == f"{name}.onExit"]
    below = [found for key in handler for found in (key, *tree.below(key))]
    pods = [key for key in tree.nodes if key in deleted and tree.type_of(key) == "Pod"]
    return tuple(tree.nodes[key] for key in dict.fromkeys([*pods, *below]))


def _renewed(workflow: JSONObject, parameters: Sequence[str], now: datetime) -> dict[str, object]:
    """The Workflow, without what says that it is finished."""
    metadata, status = dict(_mapping(workflow.get("metadata"))), dict(_mapping(workflow.get("status")))
    labels = {k: v for k, v in _mapping(metadata.get("labels")).items() if k not in {COMPLETED, ARCHIVING}}
    metadata["labels"] = labels
    for key in ("phase", "message", "finishedAt", "persistentVolumeClaims", "compressedNodes"):
        status.pop(key, None)
    status["startedAt"], status["finishedAt"] = format_time(now), None
    status["conditions"] = _not_completed(status.get("conditions"))
    stored = status.get("storedWorkflowTemplateSpec")
    if isinstance(stored, Mapping):
        status["storedWorkflowTemplateSpec"] = {k: v for k, v in stored.items() if k != "shutdown"}
    spec = unlocked(_mapping(workflow.get("spec")))
    changed = {**workflow, "metadata": metadata, "spec": spec, "status": status}
    return override_parameters(changed, parameters) if parameters else changed


def unlocked(spec: JSONObject) -> dict[str, object]:
    """The spec of a workflow that was stopped, ready to run again."""
    changed = {key: value for key, value in spec.items() if key != "shutdown"}
    if changed.get("activeDeadlineSeconds") == 0:
        del changed["activeDeadlineSeconds"]
    return changed


def _not_completed(conditions: object) -> list[object]:
    others = conditions if isinstance(conditions, list) else []
    condition = {"type": "Completed", "status": "False"}
    found = [condition if _mapping(one).get("type") == "Completed" else one for one in others]
    return found if condition in found else [*found, condition]


def _mapping(value: object) -> JSONObject:
    return value if isinstance(value, Mapping) else {}
