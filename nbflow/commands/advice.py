"""What is in the way of a workflow in a cluster, with what to do."""

from __future__ import annotations

from collections.abc import Iterable

from nbflow.kube.trouble import Trouble, trouble
from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowObject

SHOWN = 5


def trouble_of(node: NodeStatus) -> Trouble | None:
    """What is in the way of the pod of a node, None if it is none of the known troubles."""
    is_pod = node.type in {NodeType.POD, NodeType.CONTAINER}
    well = node.phase in {Phase.SUCCEEDED, Phase.SKIPPED, Phase.OMITTED}
    return trouble(node.message) if is_pod and node.message and not well else None


def advice(workflow: WorkflowObject) -> list[str]:
    """A few lines on each kind of trouble that pods of the workflow are in; empty if all goes well."""
    return _said(workflow.status.nodes.values())


class Adviser:
    """Says of each trouble that holds up a workflow once that it is there."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def news(self, workflow: WorkflowObject, nodes: Iterable[NodeStatus]) -> list[str]:
        """What is in the way of those of the nodes that wait, and of a workflow that nobody takes up."""
        said = _said(node for node in nodes if node.phase is Phase.PENDING)
        if workflow.status.phase is None and workflow.status.message:
            said.append(workflow.status.message)
        new = [text for text in said if text not in self._told]
        self._told.update(new)
        return new


def _said(nodes: Iterable[NodeStatus]) -> list[str]:
    names: dict[str, list[str]] = {}
    fixes: dict[str, str] = {}
    for node in nodes:
        found = trouble_of(node)
        if found is not None:
            names.setdefault(found.problem, []).append(node.display_name)
            fixes[found.problem] = found.fix
    return [f"{_listed(names[problem])}: {problem}\n  fix: {fixes[problem]}" for problem in names]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
