"""Variables: what the tags of a template can name, and which value it has.

Parameters and artifacts are kept apart: a text can hold the first only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from nbflow.spec.arguments import Outputs
from nbflow.spec.model import Model
from nbflow.spec.status import NodeStatus, Phase, artifacts_by_name, format_time, parameter_values
from nbflow.templating.failures import LoopError
from nbflow.templating.golang.jsontext import marshal, unmarshal
from nbflow.templating.golang.values import Fault
from nbflow.templating.items import json_text
from nbflow.templating.scope import ABSENT, Absent, Value
from nbflow.templating.sequence import with_param_items

Variables: TypeAlias = "dict[str, Value | Absent]"
ArtifactsByName = dict[str, Mapping[str, object]]

_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def node_variables(prefix: str, node: NodeStatus) -> Variables:
    """What is known of a step or task: `prefix` is `steps.NAME` or `tasks.NAME`."""
    outputs = node.outputs or {}
    found: Variables = {f"{prefix}.id": node.id}
    for key, value in (
        ("startedAt", format_time(node.started_at) if node.started_at else None),
        ("finishedAt", format_time(node.finished_at) if node.finished_at else None),
        ("ip", node.extra.get("podIP")),
        ("status", node.phase.value if node.phase else None),
        ("hostNodeName", node.extra.get("hostNodeName")),
        ("outputs.result", outputs.get("result")),
        ("exitCode", outputs.get("exitCode")),
    ):
        if value is not None and (value != "" or key == "outputs.result"):
            found[f"{prefix}.{key}"] = str(value)
    for name, value in parameter_values(outputs).items():
        found[f"{prefix}.outputs.parameters.{name}"] = value
    return found


def node_artifacts(prefix: str, node: NodeStatus) -> ArtifactsByName:
    """The output artifacts of a step or task."""
    found = artifacts_by_name(node.outputs)
    return {f"{prefix}.outputs.artifacts.{name}": artifact for name, artifact in found.items()}


def skipped_variables(prefix: str, outputs: Outputs) -> Variables:
    """The outputs of a step or task that did not run: their defaults, else absent, which is not unknown."""
    found: Variables = {}
    for parameter in outputs.parameters:
        default = parameter.value_from.default if parameter.value_from else None
        found[f"{prefix}.outputs.parameters.{parameter.name}"] = ABSENT if default is None else default
    if outputs.result is not None:
        found[f"{prefix}.outputs.result"] = ABSENT
    return found


def aggregate_variables(prefix: str, nodes: Iterable[NodeStatus]) -> Variables:
    """The outputs of a loop: JSON lists of those of its succeeded rounds, in order.

    Raises LoopError if a result is no JSON.
    """
    parameters: list[Value] = []
    by_name: dict[str, list[str]] = {}
    results: list[str] = []
    for node in nodes:
        if node.outputs is None or node.phase is not Phase.SUCCEEDED:
            continue
        values = parameter_values(node.outputs)
        if values:
            parameters.append(dict(values))
        for name, value in values.items():
            by_name.setdefault(name, []).append(value)
        if (result := node.outputs.get("result")) is not None:
            results.append(_compact(str(result)))
    found: Variables = {
        f"{prefix}.outputs.result": f"[{','.join(results)}]",
        f"{prefix}.outputs.parameters": marshal(parameters),
    }
    for name, texts in by_name.items():
        found[f"{prefix}.outputs.parameters.{name}"] = _value_list(texts)
    return found


def _compact(text: str) -> str:
    try:
        unmarshal(text)
        return ",".join(map(json_text, with_param_items(f"[{text}]"))).translate(_HTML)
    except Fault as fault:
        raise LoopError(
            str(fault), fix="let each round print one JSON value, for instance a number"
        ) from None


def _value_list(texts: list[str]) -> str:
    """The values as they are if all are JSON lists or objects, else as strings."""
    values: list[object] = []
    for text in texts:
        try:
            value = unmarshal(text)
        except Fault:
            return marshal(texts)
        if not isinstance(value, list | dict):
            return marshal(texts)
        values.append(value)
    return marshal(values)


def as_json(models: Iterable[Model]) -> str:
    """A list of models as Go writes it: fields in their order, compact."""
    data = [model.to_dict() for model in models]
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_HTML)


def data_json(data: object) -> str:
    """JSON data as Go writes a struct: keys in their order, compact."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_HTML)


_STRFTIME = {
    "B": "%B", "b": "%b", "m": "%m", "A": "%A", "a": "%a", "d": "%d", "H": "%H", "I": "%I", "M": "%M", "S": "%S",
    "Y": "%Y", "y": "%y",
}  # fmt: skip


def timestamp_variables(prefix: str, time: datetime) -> Variables:
    """A time under all the names that Argo gives its parts."""
    time = time.astimezone(UTC)
    found: Variables = {f"{prefix}.{char}": time.strftime(form) for char, form in _STRFTIME.items()}
    found |= {
        f"{prefix}.p": time.strftime("%p"),
        f"{prefix}.Z": "UTC",
        f"{prefix}.z": "+0000",
        f"{prefix}.L": ".000",
    }
    found |= {f"{prefix}.s": str(int(time.timestamp())), f"{prefix}.RFC3339": format_time(time)}
    return found | {prefix: format_time(time)}
