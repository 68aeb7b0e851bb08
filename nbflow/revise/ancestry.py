"""Which nodes lie above and below a node, as Argo's command line reads the tree for a retry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nbflow.errors import ConflictError

Node = Mapping[str, object]
_GROUPS = ("DAG", "TaskGroup", "StepGroup", "Steps")
_BAD = ("Failed", "Error")


@dataclass(slots=True)
class Ancestry:
    """The nodes of a workflow with their parents. A node of several parents counts below one of them: the one
    whose id is last. `reachable`: those below the root, from the top, in order of their distance.
    """

    nodes: Mapping[str, Node]
    root: str
    parents: dict[str, str] = field(default_factory=dict)
    reachable: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, nodes: Mapping[str, Node], workflow: str) -> Ancestry:
        """Raises ConflictError if the tree is broken."""
        root = next((key for key, node in nodes.items() if node.get("name") == workflow), "")
        if not root:
            raise ConflictError("couldn't find root node", where=f"workflow {workflow}")
        found = cls(nodes, root)
        for key in sorted(nodes):
            for child in children_of(nodes[key]):
                if child not in nodes:
                    raise ConflictError(f"couldn't obtain child {child}", where=f"node {key}")
                found.parents[child] = key
        for key, node in nodes.items():
            name = str(node.get("name", ""))
            if key not in found.parents and key != root and not name.startswith(f"{workflow}.onExit"):
                raise ConflictError(f"couldn't find parent node for {key}", where=f"workflow {workflow}")
        found.reachable = [root, *found.below(root)]
        return found

    def below(self, key: str) -> list[str]:
        """All nodes below a node, nearest first."""
        seen = {key: None}
        for current in seen.copy():
            todo = [current]
            while todo:
                level = [
                    child for parent in todo for child in children_of(self.nodes[parent]) if child not in seen
                ]
                todo = list(dict.fromkeys(level))
                seen.update(dict.fromkeys(todo))
        return list(seen)[1:]

    def type_of(self, key: str) -> str:
        """The type of a node, "" if there is none."""
        return str(self.nodes[key].get("type", "")) if key else ""

    def above(self, key: str) -> str:
        """The parent of a node; "" at the top."""
        return self.parents.get(key, "")

    def has_succeeded_below(self, key: str, but: Callable[[str], bool]) -> bool:
        """Whether a node below succeeded that is not among those to start anew."""
        return any(self.nodes[k].get("phase") == "Succeeded" and not but(k) for k in self.below(key))


def children_of(node: Node) -> list[str]:
    """The ids of a node's children."""
    found = node.get("children")
    return [str(child) for child in found] if isinstance(found, list | tuple) else []


def is_bad(node: Node) -> bool:
    """Failed or Error."""
    return node.get("phase") in _BAD


def path_of(tree: Ancestry, start: str) -> tuple[set[str], set[str]]:
    """What starting a node anew means: the nodes above that run again, and those at and below it that go."""
    reset: set[str] = set()
    delete = {start, *tree.below(start)}
    if start == tree.root:
        return reset, delete
    current = start
    while current:
        kind = tree.type_of(current)
        if kind in _GROUPS:
            reset.add(current)
            current = _through_boundaries(tree, current, reset)
            continue
        if kind == "Retry" and is_bad(tree.nodes[current]):
            reset.add(current)
        elif kind == "Container":
            current = _up_to(tree, current, reset, lambda key: tree.type_of(key) == "Pod")
            delete |= {current, *tree.below(current)}
            continue_at = tree.above(current)
            current = continue_at
            continue
        current = tree.above(current)
    return reset, delete


def _through_boundaries(tree: Ancestry, key: str, reset: set[str]) -> str:
    """Reset what encloses a group, template by template, up to the outermost one; the node above that."""
    current = key
    while True:
        if tree.type_of(tree.above(current)) == "Retry":
            current = tree.above(current)
            reset.add(current)
        if tree.type_of(tree.above(current)) in {"StepGroup", "TaskGroup"}:
            reset.add(tree.above(current))
        boundary = str(tree.nodes[current].get("boundaryID") or "")
        if not boundary:
            return tree.above(current)
        current = _up_to(tree, current, reset, lambda key, wanted=boundary: key == wanted)  # type: ignore[misc]


def _up_to(tree: Ancestry, key: str, reset: set[str], found: Callable[[str], bool]) -> str:
    """The nearest node, upwards from `key` itself, that fits; it is reset. Raises ConflictError if none does."""
    current = key
    while current:
        if found(current):
            reset.add(current)
            return current
        current = tree.above(current)
    raise ConflictError("was seeking node but ran out of nodes to explore", where=f"node {key}")
