"""Ids of nodes and names of pods, as Argo forms them: for who runs workflows and for who shows them."""

from __future__ import annotations

from functools import lru_cache

_FNV_OFFSET = 0x811C9DC5
_FNV_PRIME = 0x01000193
_MAX_PREFIX = 253 - 10 - 1


@lru_cache(maxsize=65536)
def fnv32a(text: str) -> int:
    """The 32 bit FNV-1a hash of the UTF-8 text."""
    value = _FNV_OFFSET
    for byte in text.encode("utf-8", "surrogatepass"):
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
