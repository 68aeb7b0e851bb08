"""Resource templates: a pod that carries out one action on a Kubernetes object."""

from __future__ import annotations

import json

from nbflow.spec.pod import ContainerSpec
from nbflow.spec.resource import RESOURCE_IMAGE
from nbflow.spec.template import Template


def resource_container(template: Template, workflow: str, uid: str, pod: str) -> ContainerSpec:
    """The container of a resource template's pod; its source is the order that it carries out."""
    assert template.resource is not None
    parameters = template.outputs.to_dict().get("parameters") or []
    artifacts = template.inputs.to_dict().get("artifacts") or []
    order = {
        "pod": pod,
        "uid": uid,
        "workflow": workflow,
        "resource": template.resource.to_dict(),
        "parameters": parameters,
        "paths": {a["name"]: a.get("path", "") for a in artifacts if isinstance(a, dict)}
        if isinstance(artifacts, list)
        else {},
    }
    return ContainerSpec(name="main", image=RESOURCE_IMAGE, source=json.dumps(order))
