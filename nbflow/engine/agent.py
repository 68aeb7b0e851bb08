"""Resource, data, http and plugin templates: a pod of nbflow's own that carries out one order."""

from __future__ import annotations

import json

from nbflow.engine.run import Run
from nbflow.spec.agent import KINDS, agent_image
from nbflow.spec.pod import ContainerSpec
from nbflow.spec.status import NodeStatus, NodeType
from nbflow.spec.template import Template


def is_agents(node: NodeStatus) -> bool:
    """Whether a node is worked on by what is Argo's agent: such a node has no pod of its own there."""
    return node.type in (NodeType.HTTP, NodeType.PLUGIN)


def has_process(node: NodeStatus) -> bool:
    """Whether something runs for a node that ends with it."""
    return node.type is NodeType.POD or is_agents(node)


def agent_container(template: Template, run: Run, pod: str) -> ContainerSpec | None:
    """The container that carries a template out; its source is the order. None for templates of other kinds."""
    kind = template.kinds()[0]
    if kind not in KINDS:
        return None
    data = template.to_dict()
    metadata = run.workflow.metadata
    order: dict[str, object] = {"pod": pod, "uid": metadata.uid, "workflow": metadata.name, kind: data[kind]}
    if kind == "resource":
        order |= _of_resource(template)
    elif kind == "plugin":
        order |= {"namespace": metadata.namespace, "template": data}
    return ContainerSpec(name="main", image=agent_image(kind), source=json.dumps(order))


def _of_resource(template: Template) -> dict[str, object]:
    """Which outputs are read from the object, and where manifests are that come as artifacts."""
    artifacts = template.inputs.to_dict().get("artifacts")
    return {
        "parameters": template.outputs.to_dict().get("parameters") or [],
        "paths": {a["name"]: a.get("path", "") for a in artifacts if isinstance(a, dict)}
        if isinstance(artifacts, list)
        else {},
    }
