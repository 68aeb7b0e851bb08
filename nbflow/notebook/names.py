"""Which node a person means by a name, and which names there will be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from nbflow.errors import NbflowError
from nbflow.notebook.near import near
from nbflow.spec.status import NodeStatus, NodeType, WorkflowObject


class NoSuchNodeError(NbflowError, KeyError):
    """The workflow has no node of that name, or several."""


def find(workflow: WorkflowObject, name: str) -> NodeStatus | None:
    """The node of that id, name (with or without the workflow's in front), display name, path, or alone its template's.

    A path is display names from outside to inside: "build/compile". Raises NoSuchNodeError if several have it.
    """
    nodes = workflow.status.nodes
    if name in nodes:
        return nodes[name]
    exact = {name, f"{workflow.name}.{name}", f"{workflow.name}{name}"}
    found = [node for node in nodes.values() if node.name in exact]
    found = found or [node for node in nodes.values() if _called(node, name)]
    if not found and "/" in name:
        end = f"/{name}"
        found = [node for node in nodes.values() if f"/{path_of(workflow, node)}".endswith(end)]
    found = found or [node for node in nodes.values() if _alone(workflow, node) == name]
    if len(found) > 1:
        names = ", ".join(repr(node.name) for node in found[:5])
        raise NoSuchNodeError(f"{len(found)} nodes are called {name!r}", fix=f"use the whole name: {names}")
    return found[0] if found else None


def path_of(workflow: WorkflowObject, node: NodeStatus) -> str:
    """Display names from the outermost node to this one; the workflow's own and those of step groups are left out."""
    nodes, parts = workflow.status.nodes, [node.display_name]
    inside = nodes.get(node.boundary_id)
    while inside is not None and inside.boundary_id != inside.id and inside.name != workflow.name:
        parts.append(inside.display_name)
        inside = nodes.get(inside.boundary_id)
    return "/".join(reversed(parts))


def is_glob(name: str) -> bool:
    """Whether a name may mean several nodes. `[` is no sign of it: step groups are called [0], [1], ..."""
    return "*" in name or "?" in name


def matching(workflow: WorkflowObject, pattern: str) -> list[NodeStatus]:
    """The nodes whose display name, path or name below the workflow's fits: * is any text, ? one character."""
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    fits = re.compile("".join(parts), re.DOTALL).fullmatch
    shown = (n for n in workflow.status.nodes.values() if n.type is not NodeType.STEP_GROUP)
    below = f"{workflow.name}."
    return [
        node
        for node in shown
        if fits(node.display_name) or fits(node.name.removeprefix(below)) or fits(path_of(workflow, node))
    ]


def is_loop_of_steps(workflow: WorkflowObject, name: str) -> bool:
    """Whether a step of that name is a loop: its rounds are nodes, and nothing stands for them all."""
    steps = (
        step
        for template in _mappings(workflow.spec.get("templates"))
        for group in _groups(template)
        for step in _mappings(group)
    )
    return any(step.get("name") == name and any(key in step for key in LOOPS) for step in steps)


LOOPS = ("withItems", "withParam", "withSequence")


def expected(workflow: WorkflowObject, name: str) -> bool:
    """Whether a node of that name may still come: a step or task has it, or the spec does not tell."""
    if workflow.status.phase is not None and workflow.status.phase.finished:
        return False
    known = set(declared(workflow))
    base = name.removeprefix(f"{workflow.name}.").rpartition("/")[2].rpartition(".")[2].partition("(")[0]
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
        for group in _groups(template):
            yield from (str(step.get("name", "")) for step in _mappings(group))
        dag = template.get("dag")
        if isinstance(dag, Mapping):
            yield from (str(task.get("name", "")) for task in _mappings(dag.get("tasks")))


def _alone(workflow: WorkflowObject, node: NodeStatus) -> str:
    """The template of an entrypoint without steps: its node is called as the workflow, which nobody wrote down."""
    alone = node.name == workflow.name and node.type not in (NodeType.STEPS, NodeType.DAG)
    return node.template_name if alone else ""


def called_by_template(workflow: WorkflowObject) -> list[str]:
    """The name of the template that is a name of the workflow's own node, if there is one."""
    names = (_alone(workflow, node) for node in workflow.status.nodes.values())
    return [name for name in names if name]


def _called(node: NodeStatus, name: str) -> bool:
    return node.display_name == name and node.type is not NodeType.STEP_GROUP


def _groups(template: Mapping[str, object]) -> Iterable[object]:
    groups = template.get("steps")
    return groups if isinstance(groups, list | tuple) else ()


def _mappings(value: object) -> Iterator[Mapping[str, object]]:
    """The mappings in a list; one that stands alone counts as a list of one."""
    items = value if isinstance(value, list | tuple) else [value]
    return (item for item in items if isinstance(item, Mapping))
