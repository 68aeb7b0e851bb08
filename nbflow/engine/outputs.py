"""Outputs: what a template hands on of what its steps and tasks gave, and what it gives to the whole workflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from nbflow.engine.arguments import Prepared, Surroundings, body_part
from nbflow.engine.failures import CallError
from nbflow.engine.references import View, resolve_artifact
from nbflow.engine.run import Run
from nbflow.engine.templates import Data
from nbflow.spec.status import InputsOutputs, NodeStatus
from nbflow.templating.expressions import Clock, compile_expression
from nbflow.templating.failures import ExpressionError, TemplateError
from nbflow.templating.golang.text import display
from nbflow.templating.items import item_text
from nbflow.templating.scope import ABSENT, Absent, Value
from nbflow.templating.tags import resolve_reference


def template_outputs(prepared: Prepared, view: View, around: Surroundings) -> InputsOutputs | None:
    """The outputs of a steps or DAG template. Raises CallError."""
    declared = prepared.source.data.get("outputs")
    if not declared or not (prepared.template.outputs.parameters or prepared.template.outputs.artifacts):
        return None
    try:
        data = body_part(prepared, declared, around)
        parameters = [_parameter(p, view, around.clock) for p in _items(data, "parameters")]
        artifacts = [_artifact(a, view, around.clock) for a in _items(data, "artifacts")]
    except TemplateError as error:
        raise CallError(error.problem) from None
    found = {"parameters": parameters, "artifacts": [a for a in artifacts if a is not None]}
    return {key: values for key, values in found.items() if values}


def _items(data: Data, key: str) -> list[Data]:
    return cast("list[Data]", data.get(key) or [])


def _parameter(parameter: Data, view: View, clock: Clock) -> Data:
    source = parameter.get("valueFrom")
    if not isinstance(source, dict):
        raise CallError("output parameters must have a valueFrom specified")
    default = source.get("default")
    try:
        value = _value(source, view, clock)
    except TemplateError:
        if default is None:
            raise
        value = default
    if value is ABSENT:
        value = default
    if value is None:
        raise CallError(
            f'output parameter "{parameter["name"]}": "{source.get("parameter", "")}" is an absent optional'
            " (skipped/omitted node output with no default)"
        )
    plain = {key: field for key, field in parameter.items() if key != "valueFrom"}
    return {**plain, "value": item_text(cast("Value", value))}


def _value(source: Data, view: View, clock: Clock) -> Value | Absent:
    expression, parameter = source.get("expression"), source.get("parameter")
    if expression:
        value = compile_expression(str(expression)).run(view.everything(), clock)
        if value is None:
            raise ExpressionError(f'failed to evaluate expression "{expression}"')
        return display(value)  # as Go prints it, lists and maps too: Argo's AnyStringPtr
    return resolve_reference(str(parameter), view.everything(), clock) if parameter else ""


def _artifact(artifact: Data, view: View, clock: Clock) -> Data | None:
    try:
        found = resolve_artifact(artifact, view, clock)
    except (TemplateError, CallError) as error:
        if artifact.get("optional") and "Unable to resolve" in error.problem:
            return None
        raise CallError(f"unable to resolve outputs from scope: {error.problem}") from None
    if found is None:
        return None
    exported = {"globalName": artifact["globalName"]} if artifact.get("globalName") else {}
    return {**found, "name": artifact["name"], **exported}


def export(run: Run, outputs: InputsOutputs | None) -> None:
    """Give outputs with a globalName to the workflow; a later one of the same name replaces an earlier."""
    for parameter in cast("list[Mapping[str, object]]", (outputs or {}).get("parameters") or []):
        name = parameter.get("globalName")
        if name:
            value = parameter.get("value")
            if value is not None:
                run.variables[f"workflow.outputs.parameters.{name}"] = str(value)
            run.outputs.parameters[str(name)] = value
    for artifact in cast("list[Mapping[str, object]]", (outputs or {}).get("artifacts") or []):
        if name := artifact.get("globalName"):
            kept = {k: v for k, v in artifact.items() if k not in ("globalName", "path")}
            run.outputs.artifacts[str(name)] = {**kept, "name": name}


def supplied_outputs(
    template_outputs: Mapping[str, object], inputs: InputsOutputs | None
) -> InputsOutputs | None:
    """The outputs of a suspend node that a person is to supply; an input's default serves as theirs."""
    defaults = {
        str(p["name"]): p["default"]
        for p in cast("list[Mapping[str, object]]", (inputs or {}).get("parameters") or [])
        if p.get("default") is not None
    }
    wanted = []
    for parameter in cast("list[Mapping[str, object]]", template_outputs.get("parameters") or []):
        source = parameter.get("valueFrom")
        if not isinstance(source, dict) or source.get("supplied") is None:
            continue
        if source.get("default") is None and str(parameter["name"]) in defaults:
            source = {**source, "default": defaults[str(parameter["name"])]}
        wanted.append({**parameter, "valueFrom": source})
    return {"parameters": wanted} if wanted else None


def with_defaults(node: NodeStatus) -> NodeStatus:
    """The node with its not yet supplied outputs taken from their defaults. Raises CallError if one has none."""
    if not node.outputs:
        return node
    parameters = []
    for parameter in cast("list[Mapping[str, object]]", node.outputs.get("parameters") or []):
        source = parameter.get("valueFrom")
        if isinstance(source, dict) and source.get("supplied") is not None:
            if source.get("default") is None:
                raise CallError(
                    f"raw output parameter '{parameter['name']}' has not been set and does not have a default value"
                )
            plain = {key: value for key, value in parameter.items() if key != "valueFrom"}
            parameters.append({**plain, "value": source["default"]})
        else:
            parameters.append(dict(parameter))
    return replace(node, outputs={**node.outputs, "parameters": parameters})
