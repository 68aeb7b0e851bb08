"""The names of pods as Argo forms them from nodes."""

from __future__ import annotations

from collections.abc import Mapping

from nbflow.spec import names
from nbflow.spec.status import NodeStatus, WorkflowObject

_VERSION = "workflows.argoproj.io/pod-name-format"


def pod_name(workflow: WorkflowObject, node: NodeStatus) -> str:
    """The pod of a node. Workflows of old may name them by node id (an annotation says so)."""
    annotations = workflow.metadata.get("annotations")
    if isinstance(annotations, Mapping) and annotations.get(_VERSION) == "v1":
        return node.id
    return names.pod_name(workflow.name, node.name, template_of(node))


def template_of(node: NodeStatus) -> str:
    """The name of a node's template, also where it is in another object."""
    reference = node.extra.get("templateRef")
    if isinstance(reference, Mapping):
        return str(reference.get("template", ""))
    return node.template_name
