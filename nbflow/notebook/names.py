"""Which node a person means by a name, and which names there will be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nbflow.errors import NbflowError
from nbflow.notebook.near import near
from nbflow.spec.status import NodeStatus, NodeType, WorkflowObject


class NoSuchNodeError(NbflowError, KeyError):
    """The workflow has no node of that name, or several."""


def find(workflow: WorkflowObject, name: str) -> NodeStatus | None:
    """The node of that id, name (with or without the workflow's in front) or display name.

    Raises NoSuchNodeError if several share the display name.
    """
    nodes = workflow.status.nodes
    if name in nodes:
        return nodes[name]
    exact = {name, f"{workflow.name}.{name}", f"{workflow.name}{name}"}
    found = [node for node in nodes.values() if node.name in exact]
    found = found or [node for node in nodes.values() if _called(node, name)]
    if len(found) > 1:
        names = ", ".join(repr(node.name) for node in found[:5])
        raise NoSuchNodeError(f"{len(found)} nodes are called {name!r}", fix=f"use the whole name: {names}")
    return found[0] if found else None


def expected(workflow: WorkflowObject, name: str) -> bool:
    """Whether a node of that name may still come: a step or task has it, or the spec does not tell."""
    if workflow.status.phase is not None and workflow.status.phase.finished:
        return False
    known = set(declared(workflow))
    base = name.removeprefix(f"{workflow.name}.").rpartition(".")[2].partition("(")[0]
    return not known or base in known or any("{{" in one for one in known)


def missing(workflow: WorkflowObject, name: str) -> NoSuchNodeError:
    """The error for a name that no node has."""
    names = [
        node.display_name for node in workflow.status.nodes.values() if node.type is not NodeType.STEP_GROUP
    ]
    return NoSuchNodeError(
        f"workflow {workflow.name} has no node {name!r}", fix=near(name, [*names, *declared(workflow)])
    )


def declared(workflow: WorkflowObject) -> Iterator[str]:
    """The names of all steps and tasks that the manifest writes down; none if its templates are elsewhere."""
    for template in _mappings(workflow.spec.get("templates")):
        groups = template.get("steps")
        for group in groups if isinstance(groups, list | tuple) else ():
            yield from (str(step.get("name", "")) for step in _mappings(group))
        dag = template.get("dag")
        if isinstance(dag, Mapping):
            yield from (str(task.get("name", "")) for task in _mappings(dag.get("tasks")))


def _called(node: NodeStatus, name: str) -> bool:
    return node.display_name == name and node.type is not NodeType.STEP_GROUP


def _mappings(value: object) -> Iterator[Mapping[str, object]]:
    """The mappings in a list; one that stands alone counts as a list of one."""
    items = value if isinstance(value, list | tuple) else [value]
    return (item for item in items if isinstance(item, Mapping))
