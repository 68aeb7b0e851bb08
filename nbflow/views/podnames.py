"""The names of pods as Argo forms them from nodes."""

from __future__ import annotations

from collections.abc import Mapping

from nbflow.spec.status import NodeStatus, WorkflowObject

_LONGEST_PREFIX = 242  # 253 for a name in Kubernetes, less the hash and its dash
_VERSION = "workflows.argoproj.io/pod-name-format"


def pod_name(workflow: WorkflowObject, node: NodeStatus) -> str:
    """The pod of a node. Workflows of old may name them by node id (an annotation says so)."""
    annotations = workflow.metadata.get("annotations")
    if isinstance(annotations, Mapping) and annotations.get(_VERSION) == "v1":
        return node.id
    if workflow.name == node.name:
        return workflow.name
    template = template_of(node)
    prefix = f"{workflow.name}-{template}" if template else workflow.name
    return f"{prefix[:_LONGEST_PREFIX]}-{_fnv32a(node.name)}"


def template_of(node: NodeStatus) -> str:
    """The name of a node's template, also where it is in another object."""
    reference = node.extra.get("templateRef")
    if isinstance(reference, Mapping):
        return str(reference.get("template", ""))
    return node.template_name


def _fnv32a(text: str) -> int:
    value = 2166136261
    for byte in text.encode("utf-8", "surrogatepass"):
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value
