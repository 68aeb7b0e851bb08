"""Where the failure of a workflow began."""

from __future__ import annotations

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
    telling = {node.id: node for node in _bad(workflow) if node.message}
    deepest = (node for node in telling.values() if not any(child in telling for child in node.children))
    return [node for node in deepest if node.message != status.message]


def _bad(workflow: WorkflowObject) -> list[NodeStatus]:
    return [node for node in workflow.status.nodes.values() if node.phase and node.phase.bad]
