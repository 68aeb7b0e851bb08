"""What a node that only holds others together sums up: the progress and the resource duration of all below it.

Put together on reading, as children are: kept up with every event it would cost more the larger a workflow is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from nbflow.spec.status import NodeStatus, NodeType

EXECUTABLE = (NodeType.POD, NodeType.HTTP, NodeType.PLUGIN, NodeType.CONTAINER, NodeType.SUSPEND)
"""The types of nodes that do work; all others sum up."""

RESOURCES = "resourcesDuration"
_DONE, _TOTAL = "done", "total"
_AT_ONCE = 8192
_LONGEST = 40


def parse_progress(text: str) -> tuple[int, int]:
    """(done, total); (0, 0) for what is no valid progress: two numbers that fit into 64 bits, as in Argo."""
    done, slash, total = text.partition("/")
    if not (slash and done.isdecimal() and total.isdecimal() and len(text) <= _LONGEST):
        return 0, 0
    if not int(done) <= int(total) < 2**63:
        return 0, 0
    return int(done), int(total)


def with_sums(nodes: Mapping[str, NodeStatus]) -> dict[str, NodeStatus]:
    """The nodes (children included) with the sums filled in where they are missing, as on this machine.

    A node below another on several ways counts once.
    """
    workers = [node for node in nodes.values() if node.type in EXECUTABLE]
    sums: dict[str, dict[str, int]] = {node.id: {} for node in nodes.values() if node.type not in EXECUTABLE}
    order = _bottom_up(nodes)
    for start in range(0, len(workers), _AT_ONCE):
        _add(sums, nodes, order, workers[start : start + _AT_ONCE])
    return {key: _with(node, sums[key]) if key in sums else node for key, node in nodes.items()}


def _with(node: NodeStatus, found: Mapping[str, int]) -> NodeStatus:
    resources = {name: amount for name, amount in found.items() if name not in (_DONE, _TOTAL)}
    if found.get(_TOTAL) and not node.progress:
        node = replace(node, progress=f"{found.get(_DONE, 0)}/{found[_TOTAL]}")
    if not resources or RESOURCES in node.extra:
        return node
    return replace(node, extra={**node.extra, RESOURCES: resources})


def _add(
    sums: dict[str, dict[str, int]],
    nodes: Mapping[str, NodeStatus],
    order: Sequence[str],
    workers: Sequence[NodeStatus],
) -> None:
    """Add what these workers are worth to all above them: sets of workers are bits of one number each."""
    bits = {node.id: 1 << index for index, node in enumerate(workers)}
    planes = _planes(workers, bits)
    below: dict[str, int] = {}
    for key in order:
        found = 0
        for child in nodes[key].children:
            found |= below.get(child, 0) | bits.get(child, 0)
        below[key] = found
        if found and key in sums:
            for name, power, mask in planes:
                if count := (found & mask).bit_count():
                    sums[key][name] = sums[key].get(name, 0) + (count << power)


def _planes(workers: Sequence[NodeStatus], bits: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """(what, power of two, the workers whose amount of it has that bit)."""
    masks: dict[tuple[str, int], int] = {}
    for node in workers:
        for name, amount in _worth(node):
            for power in range(amount.bit_length()):
                if amount >> power & 1:
                    masks[name, power] = masks.get((name, power), 0) | bits[node.id]
    return [(name, power, mask) for (name, power), mask in masks.items()]


def _worth(node: NodeStatus) -> Iterator[tuple[str, int]]:
    done, total = parse_progress(node.progress)
    yield _DONE, done
    yield _TOTAL, total
    resources = node.extra.get(RESOURCES)
    if isinstance(resources, Mapping):
        for name, amount in resources.items():
            if isinstance(amount, int) and amount > 0:
                yield str(name), amount


def _bottom_up(nodes: Mapping[str, NodeStatus]) -> list[str]:
    """All ids, each after its children."""
    order: list[str] = []
    seen: set[str] = set()
    for start in nodes:
        pending = [(start, False)]
        while pending:
            key, done = pending.pop()
            if done:
                order.append(key)
            elif key not in seen and key in nodes:
                seen.add(key)
                pending.append((key, True))
                pending += [(child, False) for child in nodes[key].children if child not in seen]
    return order
