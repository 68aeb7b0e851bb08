"""What resume, stop of single nodes, and `node set` change in the suspended nodes of a Workflow, as Argo's command line
changes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from nbflow.errors import ConflictError
from nbflow.revise.submit import JSONObject
from nbflow.spec.status import format_time

SETTABLE = ("Succeeded", "Failed", "Error")


@dataclass(frozen=True, slots=True)
class NodeValues:
    """What to set: "" and empty for what stays as it is. outputs: values of output parameters."""

    phase: str = ""
    message: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)


def set_nodes(
    workflow: JSONObject, chosen: Collection[str], values: NodeValues, now: datetime
) -> dict[str, object]:
    """The Workflow with its active suspend nodes among `chosen` (ids) set.

    Raises ConflictError if none is, or an output is not waited for.
    """
    if values.phase and values.phase not in SETTABLE:
        raise ConflictError(
            f"{values.phase} is an invalid phase to set to", fix=f"one of {', '.join(SETTABLE)}"
        )
    status = dict(_mapping(workflow.get("status")))
    nodes = dict(_mapping(status.get("nodes")))
    found = [key for key in chosen if key in nodes and is_suspended(_mapping(nodes[key]))]
    if not found or not (values.phase or values.message or values.outputs):
        raise ConflictError(
            "currently, set only targets suspend nodes: no suspend nodes matching nodeFieldSelector",
            where=f"workflow {_mapping(workflow.get('metadata')).get('name', '')}",
            fix="`nbflow get` shows which nodes are suspended",
        )
    for key in found:
        node = dict(_mapping(nodes[key]))
        if values.phase:
            node.update(phase=values.phase, finishedAt=format_time(now))
        if values.message:
            node["message"] = values.message
        if values.outputs:
            node["outputs"] = _supplied(node, values.outputs)
            status["outputs"] = _exported(status, node["outputs"], values.outputs)
        nodes[key] = node
    status["nodes"] = nodes
    return {**workflow, "status": status}


def resume(workflow: JSONObject, now: datetime, *, by: str = "") -> dict[str, object] | None:
    """The Workflow with itself and all its suspended nodes going on; None if there is nothing to resume.

    by: who resumes it, said in the messages. Raises ConflictError if an output has neither value nor default.
    """
    spec, status = dict(_mapping(workflow.get("spec"))), dict(_mapping(workflow.get("status")))
    suspended = spec.pop("suspend", None)
    nodes = dict(_mapping(status.get("nodes")))
    waiting = [key for key, node in nodes.items() if is_suspended(_mapping(node))]
    if not suspended and not waiting:
        return None
    for key in waiting:
        node = dict(_mapping(nodes[key]))
        said = f"Resumed by: {by}" if by else ""
        if node.get("outputs"):
            node["outputs"] = _with_defaults(_mapping(node["outputs"]))
        node["message"] = f"{node['message']}; {said}" if node.get("message") else said
        node.update(phase="Succeeded", finishedAt=format_time(now))
        nodes[key] = node
    return {**workflow, "spec": spec, "status": {**status, "nodes": nodes} if waiting else status}


def is_suspended(node: JSONObject) -> bool:
    """Whether the node waits for somebody."""
    return node.get("type") == "Suspend" and node.get("phase") == "Running"


def _supplied(node: JSONObject, values: Mapping[str, str]) -> dict[str, object]:
    """The outputs with the values in them."""
    outputs = dict(_mapping(node.get("outputs")))
    where = f"node {node.get('displayName') or node.get('id')}"
    if not node.get("outputs"):
        raise ConflictError(
            "cannot set output parameters because node is not expecting any raw parameters", where=where
        )
    parameters = [dict(_mapping(p)) for p in _list(outputs.get("parameters"))]
    for name, value in values.items():
        parameter = next((p for p in parameters if p.get("name") == name), None)
        if parameter is None:
            known = ", ".join(str(p.get("name")) for p in parameters)
            raise ConflictError(
                f"node is not expecting output parameter '{name}'", where=where, fix=f"it has: {known}"
            )
        if "supplied" not in _mapping(parameter.get("valueFrom")):
            raise ConflictError(
                f"cannot set output parameter '{name}' because it does not use valueFrom.raw or it was already set",
                where=where,
            )
        parameter["value"] = value
        del parameter["valueFrom"]
    return {**outputs, "parameters": parameters}


def _exported(status: JSONObject, outputs: object, values: Mapping[str, str]) -> object:
    """The workflow's outputs, with those just set that have a global name."""
    exported = [
        {"name": p["globalName"], "value": p.get("value")}
        for p in map(_mapping, _list(_mapping(outputs).get("parameters")))
        if p.get("globalName") and p.get("name") in values
    ]
    known = _mapping(status.get("outputs"))
    if not exported:
        return status.get("outputs")
    names = {p["name"] for p in exported}
    kept = [p for p in _list(known.get("parameters")) if _mapping(p).get("name") not in names]
    return {**known, "parameters": [*kept, *exported]}


def _with_defaults(outputs: JSONObject) -> dict[str, object]:
    """Outputs that nobody supplied take their default. Raises ConflictError if one has none."""
    parameters = []
    for found in _list(outputs.get("parameters")):
        parameter = dict(_mapping(found))
        source = _mapping(parameter.get("valueFrom"))
        if "supplied" in source:
            if source.get("default") is None:
                raise ConflictError(
                    "raw output parameter '"
                    + str(parameter.get("name"))
                    + "' has not been set and does not have "
                    "a default value",
                    fix="set it: nbflow node set WORKFLOW --output-parameter NAME=VALUE --node-field-selector ...",
                )
            parameter["value"] = source["default"]
            del parameter["valueFrom"]
        parameters.append(parameter)
    return {**outputs, "parameters": parameters} if parameters else dict(outputs)


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _mapping(value: object) -> JSONObject:
    return value if isinstance(value, Mapping) else {}
