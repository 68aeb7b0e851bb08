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


def pod_names(workflow: WorkflowObject, node: NodeStatus) -> frozenset[str]:
    """The names that the pod of a node may have: Argo before v3.3 named it by node id, and did not say so."""
    return frozenset((pod_name(workflow, node), node.id))


def template_of(node: NodeStatus) -> str:
    """The name of a node's template, also where it is in another object."""
    reference = node.extra.get("templateRef")
    if isinstance(reference, Mapping):
        return str(reference.get("template", ""))
    return node.template_name
