"""The signs and colours of phases, and the status of a workflow in words."""

from __future__ import annotations

from collections.abc import Mapping

from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowObject
from nbflow.views.text import CYAN, DEFAULT, GREEN, RED, YELLOW, Style

SIGNS: Mapping[Phase | None, str] = {
    None: "◷",
    Phase.PENDING: "◷",
    Phase.RUNNING: "●",
    Phase.SUCCEEDED: "✔",
    Phase.SKIPPED: "○",
    Phase.OMITTED: "○",
    Phase.FAILED: "✖",
    Phase.ERROR: "⚠",
}
SUSPENDED_SIGN = "ǁ"
_COLORS = {
    None: YELLOW,
    Phase.PENDING: YELLOW,
    Phase.RUNNING: CYAN,
    Phase.SUCCEEDED: GREEN,
    Phase.SKIPPED: DEFAULT,
    Phase.OMITTED: DEFAULT,
    Phase.FAILED: RED,
    Phase.ERROR: RED,
}


def waits_for_resume(node: NodeStatus) -> bool:
    """Whether it is a suspend node that nobody resumed yet."""
    return node.type is NodeType.SUSPEND and node.phase is Phase.RUNNING


def sign(node: NodeStatus, style: Style) -> str:
    """What stands before the name of a node."""
    if waits_for_resume(node):
        return style.paint(SUSPENDED_SIGN if style.utf8 else "Suspend", CYAN)
    return phase_sign(node.phase, style)


def phase_sign(phase: Phase | None, style: Style) -> str:
    """The sign of a phase, in its colour; its name where only ASCII is allowed."""
    text = SIGNS[phase] if style.utf8 else (phase or Phase.PENDING).value
    return style.paint(text, _COLORS[phase])


def status_text(workflow: WorkflowObject) -> str:
    """The phase of a workflow, and what the phase alone does not tell: "Running (Suspended)"."""
    phase = workflow.status.phase
    if phase is Phase.RUNNING and suspended(workflow):
        return "Running (Suspended)"
    if phase is Phase.FAILED and workflow.spec.get("shutdown"):
        return "Failed (Terminated)"
    if phase in (None, Phase.PENDING):
        return "Pending" if workflow.metadata.get("creationTimestamp") else "Unknown"
    return phase.value


def suspended(workflow: WorkflowObject) -> bool:
    """Whether it waits for somebody to resume it."""
    return workflow.spec.get("suspend") is True or any(
        waits_for_resume(node) for node in workflow.status.nodes.values()
    )
