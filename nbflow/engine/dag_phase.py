"""The phase of a DAG: only its targets decide, and a target that did not run inherits from its branch."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from nbflow.engine.hooks import is_hooked
from nbflow.engine.tree import NodeTree
from nbflow.spec.status import NodeStatus, NodeType, Phase

_COMPLETED = (Phase.SUCCEEDED, Phase.FAILED, Phase.ERROR)


def target_phases(tree: NodeTree, boundary: str, targets: Sequence[str]) -> dict[str, Phase | None]:
    """The phase each target (an id) counts with; None for one that has no node yet."""
    nodes = {target: tree.nodes.get(target) for target in targets}
    if all(node is not None and node.phase in _COMPLETED for node in nodes.values()):
        return {target: node.phase for target, node in nodes.items() if node is not None}
    return _inherited(tree, boundary, targets)


def _inherited(tree: NodeTree, boundary: str, targets: Sequence[str]) -> dict[str, Phase | None]:
    """Walk the tree from the DAG on, with the last phase that was seen on each branch."""
    found: dict[str, Phase | None] = dict.fromkeys(targets)
    queue = deque((child, Phase.SUCCEEDED) for child in tree.children(boundary))
    seen = set(queue)
    while queue:
        name, branch = queue.popleft()
        node = tree.nodes.get(name)
        if node is None:
            continue
        if node.phase in _COMPLETED and not node.daemoned:
            branch = node.phase
        before = found.get(name)
        if name in found and not (before is not None and before.bad):
            found[name] = branch
        for following in ((child, branch) for child in _children(tree, node)):
            if following not in seen:
                seen.add(following)
                queue.append(following)
    for target, phase in found.items():
        if phase is None and target in tree.nodes:
            found[target] = Phase.SUCCEEDED
    return found


def _children(tree: NodeTree, node: NodeStatus) -> Iterable[str]:
    """A retried node stands for its last attempt: the walk goes on behind its attempts."""
    children = tree.children(node.id)
    if node.type is not NodeType.RETRY:
        return children
    following: list[str] = []
    for child in reversed(list(children)):
        attempt = tree.nodes.get(child)
        if attempt is not None:
            following += [child] if is_hooked(attempt) else list(tree.children(child))
    return following
