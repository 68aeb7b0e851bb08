"""What is in the way of a workflow in a cluster, node by node, with what to do."""

from __future__ import annotations

from nbflow.kube.trouble import trouble
from nbflow.spec.status import NodeType, WorkflowObject

SHOWN = 5


def advice(workflow: WorkflowObject) -> list[str]:
    """A few lines on each kind of trouble that pods of the workflow are in; empty if all goes well."""
    said: dict[str, list[str]] = {}
    fixes: dict[str, str] = {}
    for node in workflow.status.nodes.values():
        if node.type not in {NodeType.POD, NodeType.CONTAINER} or not node.message or _is_well(node.phase):
            continue
        found = trouble(node.message)
        if found is not None:
            said.setdefault(found.problem, []).append(node.display_name)
            fixes[found.problem] = found.fix
    return [f"{_names(names)}: {problem}\n  fix: {fixes[problem]}" for problem, names in said.items()]


def _is_well(phase: object) -> bool:
    return phase in {"Succeeded", "Skipped", "Omitted"}


def _names(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
