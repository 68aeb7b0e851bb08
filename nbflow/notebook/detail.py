"""All that is to be told of one node: what went in, what came out, what it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypedDict

import yaml

from nbflow.commands.advice import trouble_of
from nbflow.notebook.artifacts import Artifact
from nbflow.spec.status import InputsOutputs, NodeStatus, WorkflowObject, artifacts_by_name, parameter_values
from nbflow.views.graph.manifest import Templates
from nbflow.views.podnames import pod_name, template_of
from nbflow.views.tree import resources

VALUE, MESSAGE, SOURCE = 10_000, 20_000, 50_000
"""So many characters of a value, a message and a template are shown."""
VALUES = 200
"""So many parameters are shown on each side."""


class Value(TypedDict):
    """A parameter. cut: how many characters were left out."""

    name: str
    value: str
    cut: int


class ArtifactRow(TypedDict):
    """place: where it is kept. path: where the container has it."""

    name: str
    place: str
    path: str


class Detail(TypedDict):
    """facts: label and value. source: the template as YAML. more: parameters left out."""

    node: str
    message: str
    facts: list[tuple[str, str]]
    inputs: list[Value]
    outputs: list[Value]
    input_artifacts: list[ArtifactRow]
    output_artifacts: list[ArtifactRow]
    more: int
    source: str


def detail(workflow: WorkflowObject, node: NodeStatus) -> Detail:
    """What the panel of a node shows."""
    given, made = parameter_values(node.inputs), parameter_values(node.outputs)
    return Detail(
        node=node.id,
        message=_explained(node)[:MESSAGE],
        facts=[pair for pair in _facts(workflow, node) if pair[1]],
        inputs=_values(given),
        outputs=_values(made) + _result(node.outputs),
        input_artifacts=_artifacts(node.inputs),
        output_artifacts=_artifacts(node.outputs),
        more=max(0, len(given) - VALUES) + max(0, len(made) - VALUES),
        source=_source(workflow, node),
    )


def _explained(node: NodeStatus) -> str:
    """The message, and what to do about it where that is known."""
    found = trouble_of(node)
    return f"{node.message}\n{found.problem}: {found.fix}" if found else node.message


def _facts(workflow: WorkflowObject, node: NodeStatus) -> Iterator[tuple[str, str]]:
    extra = node.extra
    yield "Full name", node.name
    yield "Template", template_of(node)
    if node.type.value in ("Pod", "Container"):
        yield "Pod", pod_name(workflow, node)
    code = (node.outputs or {}).get("exitCode")
    yield "Exit code", "" if code is None else str(code)
    yield "Resources", resources(extra.get("resourcesDuration"))
    yield "Progress", node.progress
    yield "Host", str(extra.get("hostNodeName") or "")
    yield "Pod IP", str(extra.get("podIP") or "")
    yield "Daemon", "up" if node.daemoned else ""
    memo = extra.get("memoizationStatus")
    if isinstance(memo, Mapping):
        yield "Memoized", f"{'hit' if memo.get('hit') else 'miss'}, key {memo.get('key', '')}"
    waits = extra.get("synchronizationStatus")
    if isinstance(waits, Mapping) and waits.get("waiting"):
        yield "Waits for lock", str(waits["waiting"])
    yield "Node id", node.id


def _values(parameters: Mapping[str, str]) -> list[Value]:
    return [
        Value(name=name, value=text[:VALUE], cut=max(0, len(text) - VALUE))
        for name, text in list(parameters.items())[:VALUES]
    ]


def _result(outputs: InputsOutputs | None) -> list[Value]:
    found = (outputs or {}).get("result")
    return [] if found is None else _values({"result": str(found)})


def _artifacts(values: InputsOutputs | None) -> list[ArtifactRow]:
    return [
        ArtifactRow(name=name, place=Artifact(one, _never).location, path=str(one.get("path") or ""))
        for name, one in list(artifacts_by_name(values).items())[:VALUES]
    ]


def _never(_: Path) -> None:
    """Only its description is wanted."""


def _source(workflow: WorkflowObject, node: NodeStatus) -> str:
    call: dict[str, object] = {"template": node.template_name}
    reference = node.extra.get("templateRef")
    if isinstance(reference, Mapping):
        call["templateRef"] = reference
    found = Templates(workflow).of(call)
    if not found:
        return ""
    text = yaml.dump(_plain(found), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text if len(text) <= SOURCE else f"{text[:SOURCE]}\n# … {len(text) - SOURCE:,} more characters"


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, as people write them."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _block)


def _plain(value: object) -> object:
    """Lists and dicts of their own, so that YAML writes no references."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
