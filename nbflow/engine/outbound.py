"""Where a node ends: the nodes that become parents of what comes after it."""

from __future__ import annotations

from collections.abc import Iterable

from nbflow.engine.tree import NodeTree
from nbflow.spec.status import NodeStatus, NodeType

_ENDS_IN_ITSELF = (NodeType.SKIPPED, NodeType.SUSPEND, NodeType.HTTP, NodeType.PLUGIN)


def outbound_of_all(tree: NodeTree, ids: Iterable[str]) -> tuple[str, ...]:
    """The ends of several nodes, in order."""
    return tuple(end for child in ids for end in outbound_of(tree, child))


def outbound_of(tree: NodeTree, node_id: str) -> tuple[str, ...]:
    """The ids of the nodes that a node ends in; a pod ends in itself."""
    node = tree.nodes.get(node_id)
    if node is None:
        return ()
    children = tree.children(node_id)
    if node.type in _ENDS_IN_ITSELF or _is_hit(node):
        return (node_id,)
    if node.type is NodeType.POD:
        is_set = any(_is_container_of(tree, child, node_id) for child in children)
        return outbound_of_all(tree, children) if is_set else (node_id,)
    if node.type is NodeType.CONTAINER and children:
        return tuple(end for child in children for end in _ends_of_container(tree, node, child))
    if node.type is NodeType.TASK_GROUP and children:
        return outbound_of_all(tree, children)
    if node.type is NodeType.RETRY and children:
        return (list(children)[-1],)
    # Argo finds no end in a template that ended before it set any, and loses what comes next; we go on from the node.
    return outbound_of_all(tree, node.outbound_nodes) or (node_id,)


def _is_container_of(tree: NodeTree, child: str, pod: str) -> bool:
    node = tree.nodes.get(child)
    return node is not None and node.type is NodeType.CONTAINER and node.boundary_id == pod


def _ends_of_container(tree: NodeTree, node: NodeStatus, child: str) -> tuple[str, ...]:
    """Where it goes on to another container of the pod, the ends of that; else it is an end itself."""
    return outbound_of(tree, child) if _is_container_of(tree, child, node.boundary_id) else (node.id,)


def _is_hit(node: NodeStatus) -> bool:
    status = node.extra.get("memoizationStatus")
    return isinstance(status, dict) and bool(status.get("hit"))
