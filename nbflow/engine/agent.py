"""Resource, data, http and plugin templates: a pod of nbflow's own that carries out one order."""

from __future__ import annotations

import json
from collections.abc import Mapping

from nbflow.engine.run import Run
from nbflow.spec.agent import ASK, KINDS, agent_image
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


def with_plugins(template: Template, run: Run) -> Template:
    """A plugin template of a workflow that brings its executor plugins: a script that asks them, and they beside it."""
    metadata = run.workflow.metadata
    names = {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid}
    plugins = [_sidecar(plugin) for plugin in run.spec.executor_plugins]
    order = {
        "addresses": [f"http://localhost:{_port(plugin)}" for plugin in plugins],
        "request": {"workflow": {"metadata": names}, "template": template.to_dict()},
    }
    kept = ("name", "metadata", "timeout", "inputs")
    return Template.from_dict(
        {
            **{key: value for key, value in template.to_dict().items() if key in kept},
            "script": {"image": agent_image(ASK), "source": json.dumps(order), "volumeMounts": [_TOKEN]},
            "initContainers": [
                {"name": "token", "image": "busybox", "command": _NEW_TOKEN, "volumeMounts": [_TOKEN]}
            ],
            "sidecars": [_with_token(plugin) for plugin in plugins],
            "volumes": [{"name": _TOKEN["name"], "emptyDir": {}}],
        }
    )


_TOKEN = {"name": "var-run-argo", "mountPath": "/var/run/argo"}
_NEW_TOKEN = ["sh", "-c", "head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \\n' > /var/run/argo/token"]


def _sidecar(plugin: Mapping[str, object]) -> Mapping[str, object]:
    """The container in which an executor plugin runs."""
    found: object = plugin
    for name in ("spec", "sidecar", "container"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _port(container: Mapping[str, object]) -> object:
    ports = container.get("ports")
    first = ports[0] if isinstance(ports, list | tuple) and ports else {}
    return first.get("containerPort") if isinstance(first, Mapping) else None


def _with_token(container: Mapping[str, object]) -> dict[str, object]:
    mounts = container.get("volumeMounts")
    mounts = [*(mounts if isinstance(mounts, list | tuple) else ()), _TOKEN]
    return {**container, "restartPolicy": "OnFailure", "volumeMounts": mounts}


def _of_resource(template: Template) -> dict[str, object]:
    """Which outputs are read from the object, and where manifests are that come as artifacts."""
    artifacts = template.inputs.to_dict().get("artifacts")
    return {
        "parameters": template.outputs.to_dict().get("parameters") or [],
        "paths": {a["name"]: a.get("path", "") for a in artifacts if isinstance(a, dict)}
        if isinstance(artifacts, list)
        else {},
    }
