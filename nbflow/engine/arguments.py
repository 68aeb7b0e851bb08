"""From a call to a template that is ready: inputs filled in, tags replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from nbflow.engine.decision import World
from nbflow.engine.failures import CallError
from nbflow.engine.scope import Variables, data_json
from nbflow.engine.templates import Data, Source
from nbflow.spec.arguments import Arguments, Parameter
from nbflow.spec.artifacts import LOCATIONS, Artifact
from nbflow.spec.status import InputsOutputs
from nbflow.spec.template import Template
from nbflow.templating.expressions import Clock
from nbflow.templating.failures import TemplateError
from nbflow.templating.scope import Value
from nbflow.templating.tags import substitute, substitute_tree

ABSENT_ARGUMENT: Final = "__argo-internal.absent-optional-output__"
"""Stands in an argument that was a reference to an absent output: it counts as not given."""

_TYPE_LABEL = "workflows.argoproj.io/configmap-type"
_PARAMETER = "Parameter"
_TAKEN_FROM_INPUT = ("path", "mode", "recurseMode")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A template that is ready to run.

    template: with all tags replaced that can be; a steps or dag template without its steps or tasks: these
    are replaced when their turn comes. inputs: for the node. known: the variables of its body.
    """

    source: Source
    template: Template
    inputs: InputsOutputs | None
    known: Variables

    @property
    def body(self) -> list[Value]:
        """The step groups or tasks as they are written."""
        if self.source.template.dag is not None:
            return cast("list[Value]", cast("Data", self.source.data["dag"]).get("tasks", []))
        return cast("list[Value]", self.source.data.get("steps", []))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What counts besides the arguments: variables of the workflow, of the node, config maps, time and chance."""

    variables: Variables
    own: Variables
    namespace: str
    world: World
    clock: Clock


def prepare(source: Source, arguments: Arguments, around: Surroundings) -> Prepared:
    """Fill in the inputs of a template. Raises CallError with Argo's message."""
    inputs: Data = {}
    declared = source.template.inputs
    if declared.parameters:
        given = {parameter.name: parameter for parameter in arguments.parameters}
        inputs["parameters"] = [_parameter(p, given.get(p.name), around) for p in declared.parameters]
    if declared.artifacts:
        supplied = {artifact.name: artifact for artifact in arguments.artifacts}
        inputs["artifacts"] = [_artifact(a, supplied.get(a.name)) for a in declared.artifacts]
    return fill_in(source, inputs, around)


def fill_in(source: Source, inputs: Mapping[str, object], around: Surroundings) -> Prepared:
    """Replace the tags of a template whose inputs are known. Raises CallError."""
    data = _without_body(source)
    if inputs:
        data["inputs"] = cast("Value", dict(inputs))
    scope = {**around.variables, **around.own}
    try:
        data = _replaced(data, scope, around.clock)
        own = {**around.own, **_own_variables(data)}
        data = _replaced(data, {**around.variables, **own}, around.clock)
    except TemplateError as error:
        raise CallError(error.problem) from None
    template = Template.from_dict(data)
    filled = data.get("inputs")
    return Prepared(source, template, cast("InputsOutputs", filled) if filled else None, own)


def replace_again(prepared: Prepared, around: Surroundings) -> Prepared:
    """The same template with more variables of the node known (`retries`, `pod.name`). Raises CallError."""
    data = cast("Data", prepared.template.to_dict())
    own = {**prepared.known, **around.own}
    try:
        data = _replaced(data, {**around.variables, **own}, around.clock)
    except TemplateError as error:
        raise CallError(error.problem) from None
    return Prepared(prepared.source, Template.from_dict(data), prepared.inputs, own)


def body_part(prepared: Prepared, part: Value, around: Surroundings) -> Data:
    """A step or task with the variables of its template replaced, as they are now. Raises TemplateError."""
    own = {**around.own, **prepared.known}
    once = substitute_tree(
        part, {**around.variables, **around.own}, allow_unresolved=True, clock=around.clock
    )
    scope = {**around.variables, **own}
    return cast("Data", substitute_tree(once, scope, allow_unresolved=True, clock=around.clock))


def _without_body(source: Source) -> Data:
    data = dict(source.data)
    if "steps" in data:
        data["steps"] = []
    elif source.template.dag is not None:
        data["dag"] = {**cast("Data", data["dag"]), "tasks": []}
    return data


def _replaced(data: Data, scope: Variables, clock: Clock) -> Data:
    return cast("Data", substitute_tree(data, scope, allow_unresolved=True, clock=clock))


def _own_variables(data: Data) -> Variables:
    """inputs.* and the paths of outputs."""
    known: Variables = {}
    inputs = cast("dict[str, list[Data]]", data.get("inputs") or {})
    outputs = cast("dict[str, list[Data]]", data.get("outputs") or {})
    parameters = inputs.get("parameters", [])
    for parameter in parameters:
        if "value" in parameter:
            known[f"inputs.parameters.{parameter['name']}"] = parameter["value"]
        elif "valueFrom" not in parameter:
            raise CallError(f"inputs.parameters.{parameter['name']} had no value")
    known["inputs.parameters"] = data_json(parameters) if parameters else "null"
    for kind, artifacts in (
        ("inputs", inputs.get("artifacts", [])),
        ("outputs", outputs.get("artifacts", [])),
    ):
        for artifact in artifacts:
            if artifact.get("path"):
                known[f"{kind}.artifacts.{artifact['name']}.path"] = artifact["path"]
    for parameter in outputs.get("parameters", []):
        path = cast("Data", parameter.get("valueFrom") or {}).get("path")
        if path:
            known[f"outputs.parameters.{parameter['name']}.path"] = path
    return known


def _parameter(declared: Parameter, given: Parameter | None, around: Surroundings) -> Value:
    value = declared.default if declared.value is None else declared.value
    value_from = declared.value_from
    if given is not None and given.value == ABSENT_ARGUMENT:
        if value is None and value_from is None:
            raise CallError(
                f"inputs.parameters.{declared.name}: argument references an absent optional"
                " (skipped/omitted node output with no default)"
            )
    elif given is not None:
        value, value_from = given.value, given.value_from if given.value is None else None
    if value_from is not None and value_from.config_map_key_ref is not None:
        value = _from_config_map(declared.model_copy(update={"value_from": value_from}), around)
    elif value is None:
        raise CallError(f"inputs.parameters.{declared.name} was not supplied")
    rest = declared.to_dict()
    data: dict[str, object] = {"name": declared.name}
    if "default" in rest:
        data["default"] = rest["default"]
    data["value"] = value
    if value_from is not None:
        data["valueFrom"] = value_from.to_dict()
    data |= {
        key: field for key, field in rest.items() if key not in ("name", "default", "value", "valueFrom")
    }
    return cast("Value", data)


def _from_config_map(parameter: Parameter, around: Surroundings) -> str:
    try:
        return config_map_value(parameter, around)
    except CallError as error:
        raise CallError(
            f"unable to retrieve inputs.parameters.{parameter.name} from ConfigMap: {error.problem}"
        ) from None


class _Missing(CallError):
    """The config map or its key is not there, so that a default may stand in."""


def config_map_value(parameter: Parameter, around: Surroundings) -> str:
    """The value of a parameter that names a key of a config map, else its default. Raises CallError."""
    source = parameter.value_from
    assert source is not None
    assert source.config_map_key_ref is not None
    name, key = (
        _strictly(text, around) for text in (source.config_map_key_ref.name, source.config_map_key_ref.key)
    )
    try:
        return _look_up(around, name, key)
    except _Missing:
        if source.default is None:
            raise
        return source.default


def _strictly(text: str, around: Surroundings) -> str:
    try:
        return substitute(text, around.variables, allow_unresolved=False, clock=around.clock)
    except TemplateError as error:
        raise CallError(f"failed to substitute configMapKeyRef: {error.problem}") from None


def _look_up(around: Surroundings, name: str, key: str) -> str:
    found = around.world.config_map(around.namespace, name)
    needed = f"the label {_TYPE_LABEL}: {_PARAMETER}"
    if found is None:
        raise _Missing(
            f"ConfigMap '{name}' does not exist. Please make sure it has {needed} to be detectable by the controller",
            fix="create it with `nbflow create -f`, or give the parameter a valueFrom.default",
        )
    metadata = cast("Mapping[str, Mapping[str, object]]", found.get("metadata") or {})
    if (metadata.get("labels") or {}).get(_TYPE_LABEL) != _PARAMETER:
        raise CallError(f"ConfigMap '{name}' needs to have {needed} to load parameters")
    values = cast("Mapping[str, object]", found.get("data") or {})
    if key not in values:
        raise _Missing(f"ConfigMap '{name}' does not have the key '{key}'")
    return str(values[key])


def _artifact(declared: Artifact, given: Artifact | None) -> Value:
    data = declared.to_dict()
    if not declared.optional and not has_location(data):
        if given is None:
            raise CallError(f"inputs.artifacts.{declared.name} was not supplied")
        if not has_location(given.to_dict()):
            raise CallError(f"inputs.artifacts.{declared.name} missing location information")
    if given is not None:
        own = {key: data[key] for key in _TAKEN_FROM_INPUT if key in data}
        data = {key: value for key, value in given.to_dict().items() if key not in _TAKEN_FROM_INPUT} | own
    return cast("Value", data)


def has_location(artifact: Mapping[str, object]) -> bool:
    """Whether an artifact says where it is."""
    return any(artifact.get(place) is not None for place in LOCATIONS)
