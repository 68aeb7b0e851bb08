"""Progress: how many of the known pods are done, "2/4"."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nbflow.spec.status import NodeStatus, Phase
from nbflow.spec.sums import EXECUTABLE, parse_progress

_DONE = (Phase.SUCCEEDED, Phase.SKIPPED, Phase.OMITTED)


@dataclass(slots=True)
class Progress:
    """A running sum of the progress of nodes."""

    done: int = 0
    total: int = 0

    def add(self, text: str, sign: int = 1) -> None:
        """Add a node's progress, or take it out again (sign -1). What is no progress is ignored."""
        done, total = parse_progress(text)
        self.done += sign * done
        self.total += sign * total

    def __str__(self) -> str:
        return f"{self.done}/{self.total}"


def with_progress(node: NodeStatus) -> NodeStatus:
    """The node with the progress that its phase means; only nodes that do work have one."""
    if node.type not in EXECUTABLE:
        return node
    _, total = parse_progress(node.progress)
    if node.phase in _DONE:
        progress = f"{total or 1}/{total or 1}"
    else:
        progress = node.progress if total else "0/1"
    return node if progress == node.progress else replace(node, progress=progress)
