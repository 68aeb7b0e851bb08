"""The new Workflow that a resubmit makes of a finished one, as Argo's command line makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from nbflow.errors import ConflictError
from nbflow.revise.ancestry import Ancestry, Node, children_of, is_bad
from nbflow.revise.retry import ARCHIVING, COMPLETED, unlocked
from nbflow.revise.submit import JSONObject, override_parameters
from nbflow.spec.names import node_id
from nbflow.spec.status import format_time

PREVIOUS = "workflows.argoproj.io/resubmitted-from-workflow"
_LONGEST_NAME = 63
_NOT_CARRIED = {
    "workflows.argoproj.io/creator",
    "workflows.argoproj.io/creator-email",
    "workflows.argoproj.io/creator-preferred-username",
    "workflows.argoproj.io/phase",
    COMPLETED,
    ARCHIVING,
}


@dataclass(frozen=True, slots=True)
class ResubmitOptions:
    """memoized: steps that succeeded are not run again, their outputs are used. parameters: NAME=VALUE."""

    memoized: bool = False
    parameters: tuple[str, ...] = ()
    priority: int | None = None


def resubmit(
    workflow: JSONObject, options: ResubmitOptions, now: datetime, *, suffix: str
) -> dict[str, object]:
    """The Workflow to submit. suffix: what a memoized one's name ends with; chosen by who asks, since this is pure.

    Raises ConflictError if a memoized resubmit is asked of a workflow that did not fail.
    """
    old = _mapping(workflow.get("metadata"))
    name = str(old.get("name", ""))
    prefix = str(old.get("generateName") or f"{name}-")
    labels = {k: v for k, v in _mapping(old.get("labels")).items() if k not in _NOT_CARRIED}
    metadata: dict[str, object] = {"generateName": prefix, "labels": {**labels, PREVIOUS: name}}
    for key in ("annotations", "ownerReferences"):
        if old.get(key):
            metadata[key] = old[key]
    changed: dict[str, object] = {
        "apiVersion": workflow.get("apiVersion", "argoproj.io/v1alpha1"),
        "kind": "Workflow",
        "metadata": metadata,
        "spec": unlocked(_mapping(workflow.get("spec"))),
    }
    if options.parameters:
        changed = override_parameters(changed, options.parameters)
    if options.priority is not None:
        changed["spec"] = {**_mapping(changed["spec"]), "priority": options.priority}
    if options.memoized:
        metadata["name"] = new = prefix[: _LONGEST_NAME - len(suffix)] + suffix
        changed["status"] = _remembered(_mapping(workflow.get("status")), name, new, now)
    return changed


def _remembered(status: JSONObject, old: str, new: str, now: datetime) -> dict[str, object]:
    """A status in which what succeeded counts as done."""
    phase = str(status.get("phase") or "")
    if phase not in {"Failed", "Error"}:
        raise ConflictError(
            "workflow must be Failed/Error to resubmit in memoized mode",
            where=f"workflow {old}",
            fix="leave out --memoized",
        )
    nodes = {key: _mapping(node) for key, node in _mapping(status.get("nodes")).items()}
    tree = Ancestry(nodes, old)
    renamed = (
        _renamed(tree, node, old, new, now)
        for node in nodes.values()
        if not str(node.get("name", "")).startswith(f"{old}.onExit")
        and not (node.get("type") == "Skipped" and not tree.has_succeeded_below(str(node.get("id")), _never))
    )
    return {
        "nodes": {str(node["id"]): node for node in renamed},
        "storedTemplates": status.get("storedTemplates") or {},
        "conditions": [{"type": "Completed", "status": "False"}],
    }


def _never(_: str) -> bool:
    return False


def _renamed(tree: Ancestry, node: Node, old: str, new: str, now: datetime) -> dict[str, object]:
    def new_id(key: str) -> str:
        return node_id(new, _new_name(str(_mapping(tree.nodes.get(key)).get("name", "")), old, new))

    bad, pod = is_bad(node), node.get("type") == "Pod"
    changed = dict(node)
    changed["name"] = _new_name(str(node.get("name", "")), old, new)
    changed["id"] = node_id(new, str(changed["name"]))
    if node.get("boundaryID"):
        changed["boundaryID"] = new_id(str(node["boundaryID"]))
    at = None if bad and pod else format_time(now)
    changed.update(startedAt=at, finishedAt=at, children=[new_id(child) for child in children_of(node)])
    outbound = node.get("outboundNodes")
    changed["outboundNodes"] = [new_id(str(one)) for one in outbound] if isinstance(outbound, list) else []
    if pod and not bad:
        changed.update(phase="Skipped", type="Skipped", message=f"original pod: {node.get('id')}")
    else:
        changed.update(phase="Pending")
        changed.pop("message", None)
    return changed


def _new_name(name: str, old: str, new: str) -> str:
    return new + name.removeprefix(old) if name.startswith(old) else name


def _mapping(value: object) -> JSONObject:
    return value if isinstance(value, Mapping) else {}
