"""What a suspended node waits for: the form that a person fills in to let it go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypedDict

from nbflow.spec.status import NodeStatus, WorkflowObject
from nbflow.views.phases import waits_for_resume

FORMS = 20
"""So many forms are shown at once."""


class Field(TypedDict):
    """One value that is to be given. choices: the only ones allowed; empty for any."""

    name: str
    value: str
    choices: list[str]
    description: str


class Form(TypedDict):
    """A node that waits for somebody."""

    node: str
    name: str
    message: str
    fields: list[Field]


def forms(workflow: WorkflowObject) -> list[Form]:
    """The nodes that wait."""
    waiting = (node for node in workflow.status.nodes.values() if waits_for_resume(node))
    return [_form(node) for node, _ in zip(waiting, range(FORMS), strict=False)]


def _form(node: NodeStatus) -> Form:
    given = {str(one.get("name")): one for one in _parameters(node.inputs)}
    return Form(
        node=node.id,
        name=node.display_name,
        message=node.message,
        fields=[_field(one, given) for one in _parameters(node.outputs) if _supplied(one)],
    )


def _field(output: Mapping[str, object], given: Mapping[str, Mapping[str, object]]) -> Field:
    """An output that is to be supplied; the input of the same name says what it may be."""
    name = str(output.get("name", ""))
    offered = given.get(name, {})
    choices = _choices(output) or _choices(offered)
    source = output.get("valueFrom")
    default = source.get("default") if isinstance(source, Mapping) else None
    value = next((one for one in (default, output.get("default"), _proposed(offered)) if one is not None), "")
    text = str(value)
    return Field(
        name=name,
        value=text if not choices or text in choices else choices[0],
        choices=choices,
        description=str(output.get("description") or offered.get("description") or ""),
    )


def _proposed(offered: Mapping[str, object]) -> object:
    """The value of an input, unless it is a description of its choices."""
    value, default = offered.get("value"), offered.get("default")
    described = isinstance(value, str) and _described(value)
    return default if value is None or described else value


def _described(value: str) -> bool:
    try:
        return isinstance(json.loads(value), dict)
    except ValueError:
        return False


def _choices(parameter: Mapping[str, object]) -> list[str]:
    found = parameter.get("enum")
    return [str(one) for one in found] if isinstance(found, list | tuple) else []


def _supplied(output: Mapping[str, object]) -> bool:
    source = output.get("valueFrom")
    return isinstance(source, Mapping) and source.get("supplied") is not None and output.get("value") is None


def _parameters(values: Mapping[str, object] | None) -> list[Mapping[str, object]]:
    found = (values or {}).get("parameters")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list | tuple) else []
