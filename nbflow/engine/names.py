"""Names and ids of nodes and pods, as Argo forms them."""

from __future__ import annotations

import re
from functools import lru_cache

_FNV_OFFSET = 0x811C9DC5
_FNV_PRIME = 0x01000193
_MAX_PREFIX = 253 - 10 - 1
_STEP_OR_TASK = re.compile(r"^(\[\d+\])?\.")


@lru_cache(maxsize=65536)
def fnv32a(text: str) -> int:
    """The 32 bit FNV-1a hash of the UTF-8 text."""
    value = _FNV_OFFSET
    for byte in text.encode():
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return value


def node_id(workflow: str, node_name: str) -> str:
    """The id of a node; the root's is the name of the workflow."""
    return workflow if node_name == workflow else f"{workflow}-{fnv32a(node_name)}"


def pod_name(workflow: str, node_name: str, template_name: str) -> str:
    """The name of a node's pod (version v2 of Argo's pod names)."""
    if workflow == node_name:
        return workflow
    prefix = f"{workflow}-{template_name}" if template_name else workflow
    return f"{prefix[:_MAX_PREFIX]}-{fnv32a(node_name)}"


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
