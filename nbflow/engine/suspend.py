"""Suspend templates: a node that waits for a person, or for a while."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from nbflow.engine import calls
from nbflow.engine.arguments import Prepared
from nbflow.engine.durations import parse_duration
from nbflow.engine.failures import CallError
from nbflow.engine.limits import DEADLINE_MESSAGE
from nbflow.engine.outputs import supplied_outputs, with_defaults
from nbflow.engine.run import Call, Run
from nbflow.spec.status import NodeStatus, NodeType, Phase


def begin(run: Run, call: Call, prepared: Prepared, node: NodeStatus) -> None:
    """Begin to wait. Raises CallError for a duration that is none."""
    if node.phase is Phase.PENDING:
        outputs = supplied_outputs(prepared.template.outputs.to_dict(), node.inputs)
        node = run.mark(with_choices(node), Phase.RUNNING, outputs=outputs)
    if not run.executes(on_exit=call.on_exit):
        run.mark(node, Phase.FAILED, f"Stopped with strategy '{run.shutdown}'")
        return
    if run.deadline is not None and run.now >= run.deadline and not call.on_exit:
        run.mark(node, Phase.FAILED, DEADLINE_MESSAGE)
        return
    duration = prepared.template.suspend.duration if prepared.template.suspend else ""
    if duration:
        run.at((node.started_at or run.now) + parse_duration(duration), lambda: _end(run, call, node.id))


def with_choices(node: NodeStatus) -> NodeStatus:
    """The node with the choices of its inputs: a value may be a JSON text that describes a parameter."""
    parameters = cast("list[Mapping[str, object]]", (node.inputs or {}).get("parameters") or [])
    described = [{**parameter, **_choices(parameter)} for parameter in parameters]
    if described == parameters:
        return node
    return replace(node, inputs={**(node.inputs or {}), "parameters": described})


def _choices(parameter: Mapping[str, object]) -> Mapping[str, object]:
    try:
        description = json.loads(str(parameter.get("value", "")))
    except ValueError:
        return {}
    enum = description.get("enum") if isinstance(description, dict) else None
    if not isinstance(enum, list) or not enum:
        return {}
    return {"enum": enum} if parameter.get("default") is not None else {"enum": enum, "default": enum[0]}


def _end(run: Run, call: Call, node_id: str) -> None:
    node = run.tree.nodes[node_id]
    if node.fulfilled or run.is_cut_off(node):
        return
    try:
        run.mark(with_defaults(node), Phase.SUCCEEDED)
    except CallError as error:
        calls.fail(run, call, error.problem)


def resume(run: Run, node: NodeStatus, message: str = "") -> None:
    """A person lets the node go on. Raises CallError if an output is neither supplied nor has a default."""
    run.mark(with_defaults(node), Phase.SUCCEEDED, f"{node.message}; {message}" if node.message else message)


def is_suspended(node: NodeStatus) -> bool:
    """Whether a node waits for a person or for its time."""
    return node.type is NodeType.SUSPEND and node.phase is Phase.RUNNING


def supply(run: Run, node: NodeStatus, given: dict[str, str]) -> NodeStatus:
    """Set outputs that a person supplies. Raises CallError for one that the node does not wait for."""
    parameters = [dict(p) for p in (node.outputs or {}).get("parameters") or []]  # type: ignore[attr-defined]
    by_name = {str(parameter["name"]): parameter for parameter in parameters}
    if not by_name:
        raise CallError("cannot set output parameters because node is not expecting any raw parameters")
    for name, value in given.items():
        if name not in by_name:
            raise CallError(f"node is not expecting output parameter '{name}'")
        source = by_name[name].pop("valueFrom", None)
        if not isinstance(source, dict) or source.get("supplied") is None:
            raise CallError(
                f"cannot set output parameter '{name}' because it does not use valueFrom.raw or it was already set"
            )
        by_name[name]["value"] = value
    return run.tree.put(replace(node, outputs={**(node.outputs or {}), "parameters": parameters}))
