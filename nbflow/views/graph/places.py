"""Which node of a run stands at which place of the manifest.

The name of a node tells its way from the entrypoint: `wf[0].a(2:x)(1).b` is task b of the DAG that step a of the
first group calls, in the third turn of its loop, second attempt. A place is a segment per call ("[0].a", ".b")
and a turn for each loop ("(2:x)").
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowObject

_SEGMENT = re.compile(r"((?:\[\d+\])?(?:\.hooks)?(?:\.[^.\[\]()]+)?)((?:\([^()]*\))*)")
_ATTEMPT = re.compile(r"\(\d+\)$")
_RANK = {NodeType.RETRY: 3, NodeType.STEPS: 2, NodeType.DAG: 2, NodeType.TASK_GROUP: 1}
_WORST_FIRST = (
    Phase.FAILED,
    Phase.ERROR,
    Phase.RUNNING,
    Phase.PENDING,
    Phase.SUCCEEDED,
    Phase.SKIPPED,
    Phase.OMITTED,
)


@dataclass(slots=True)
class Live:
    """What runs at a place: its nodes (a retry and its attempts are several), and the places inside."""

    nodes: list[NodeStatus] = field(default_factory=list)
    inside: dict[str, dict[str, Live]] = field(default_factory=dict)

    @property
    def node(self) -> NodeStatus | None:
        """The node that speaks for the place: the retry above its attempts, else the last one."""
        return max(self.nodes, key=lambda node: _RANK.get(node.type, 0), default=None)

    @property
    def attempts(self) -> int:
        """How often it was tried; 0 without a retry strategy."""
        return sum(_ATTEMPT.search(node.name) is not None for node in self.nodes)


def find_places(workflow: WorkflowObject) -> tuple[Live, dict[str, Live]]:
    """The place of the entrypoint, and those of nodes beside it (exit handler, hooks) by their segment."""
    root = Live()
    for node in workflow.status.nodes.values():
        if node.type is not NodeType.STEP_GROUP and node.name.startswith(workflow.name):
            _settle(root, node, node.name[len(workflow.name) :])
    aside = {segment: turns.get("", Live()) for segment, turns in root.inside.items() if is_aside(segment)}
    return root, aside


def is_aside(segment: str) -> bool:
    """Whether the segment is that of an exit handler or a hook."""
    return segment == ".onExit" or segment.startswith(".hooks.")


def turns(lives: Iterable[Live], segment: str) -> dict[str, list[Live]]:
    """Turn of a loop ("" without one) -> what runs there, at a place that may exist many times."""
    found: dict[str, list[Live]] = {}
    for live in lives:
        for turn, inner in live.inside.get(segment, {}).items():
            found.setdefault(turn, []).append(inner)
    return dict(sorted(found.items(), key=lambda item: _index(item[0])))


def phase_of(lives: Iterable[Live]) -> Phase | None:
    """The phase that speaks for many: the worst that is there, but Running before all is done."""
    seen = {live.node.phase for live in lives if live.node}
    return next((phase for phase in _WORST_FIRST if phase in seen), None)


def count_phases(lives: Iterable[Live]) -> Counter[Phase]:
    """How many are in which phase."""
    return Counter(live.node.phase or Phase.PENDING for live in lives if live.node)


def _settle(root: Live, node: NodeStatus, path: str) -> None:
    live = root
    for segment, turn in _segments(path):
        live = live.inside.setdefault(segment, {}).setdefault(turn, Live()) if segment else live
    live.nodes.append(node)


def _segments(path: str) -> Iterator[tuple[str, str]]:
    """(segment, turn), attempts left out. The segment "" is the entrypoint's own."""
    for match in _SEGMENT.finditer(path):
        if match.group():
            yield match[1], _ATTEMPT.sub("", match[2])


def _index(turn: str) -> int:
    digits = turn[1:].partition(":")[0]
    return int(digits) if digits.isascii() and digits.isdigit() else -1
