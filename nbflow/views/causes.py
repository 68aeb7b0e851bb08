"""Where the failure of a workflow began."""

from __future__ import annotations

from collections.abc import Mapping

from nbflow.spec.status import NodeStatus, NodeType, WorkflowObject


def failed_pods(workflow: WorkflowObject) -> list[NodeStatus]:
    """The pods that failed, in order of appearance."""
    return [node for node in _bad(workflow) if node.type is NodeType.POD]


def causes(workflow: WorkflowObject) -> list[NodeStatus]:
    """The nodes at the bottom of a failure, where no pod failed: those that tell more than "child failed".

    Empty if a pod failed, or if the workflow's own message says it already.
    """
    status = workflow.status
    if not (status.phase and status.phase.bad) or failed_pods(workflow):
        return []
    bad = {node.id: node for node in _bad(workflow)}
    above = _above_messages(bad)
    deepest = (node for node in bad.values() if node.message and node.id not in above)
    return [node for node in deepest if node.message != status.message]


def _above_messages(bad: Mapping[str, NodeStatus]) -> set[str]:
    """Those of the nodes below which another one says something, however deep."""
    parents: dict[str, list[str]] = {}
    for node in bad.values():
        for child in node.children:
            parents.setdefault(child, []).append(node.id)
    found: set[str] = set()
    pending = [parent for node in bad.values() if node.message for parent in parents.get(node.id, ())]
    while pending:
        if (name := pending.pop()) not in found:
            found.add(name)
            pending += parents.get(name, ())
    return found


def _bad(workflow: WorkflowObject) -> list[NodeStatus]:
    return [node for node in workflow.status.nodes.values() if node.phase and node.phase.bad]
