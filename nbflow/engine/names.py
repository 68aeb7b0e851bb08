"""Names and ids of nodes and pods, as Argo forms them."""

from __future__ import annotations

import re

from nbflow.spec.names import fnv32a, node_id, pod_name

__all__ = [
    "call_name",
    "display_name",
    "fnv32a",
    "hook_name",
    "loop_index",
    "node_id",
    "on_exit_name",
    "pod_name",
]

_STEP_OR_TASK = re.compile(r"^(\[\d+\])?\.")


def display_name(node_name: str, boundary_name: str) -> str:
    """What remains of a node's name below its boundary: the step or task, the attempt, the step group."""
    return _STEP_OR_TASK.sub("", node_name.removeprefix(boundary_name))


def on_exit_name(node_name: str) -> str:
    """The name of the node that runs a node's exit handler."""
    return f"{node_name}.onExit"


def hook_name(node_name: str, hook: str) -> str:
    """The name of the node that runs one of a node's hooks."""
    return f"{node_name}.hooks.{hook}"


def loop_index(node_name: str) -> int:
    """Which round of a loop a node is: 2 for `step(2:x)`; 0 for a node that is none."""
    index = node_name.rpartition("(")[2].partition(":")[0]
    return int(index) if index.isdecimal() else 0


def call_name(node_name: str) -> str:
    """The step or task a node belongs to: its name without boundary, attempt and loop item."""
    opener = ""
    end = len(node_name)
    while end and (opener or node_name[end - 1] in ")]"):
        char = node_name[end - 1]
        if char == opener:
            opener = ""
        elif not opener:
            opener = "(" if char == ")" else "["
        end -= 1
    return node_name[:end].rpartition(".")[2]
