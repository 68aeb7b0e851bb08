"""What steps and tasks know of each other: outputs that came before, put into the calls that come after."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from posixpath import join
from typing import cast

from nbflow.engine.arguments import ABSENT_ARGUMENT, Prepared, has_location
from nbflow.engine.failures import CallError
from nbflow.engine.scope import ArtifactsByName, Variables
from nbflow.engine.templates import Data
from nbflow.spec.artifacts import LOCATIONS
from nbflow.spec.status import artifacts_by_name, parameter_values
from nbflow.templating.expressions import Clock, compile_expression
from nbflow.templating.failures import TemplateError, WhenError
from nbflow.templating.scope import ABSENT, Value
from nbflow.templating.tags import pure_reference, resolve_reference, substitute, substitute_tree
from nbflow.templating.when import should_execute

STRICT = ("steps", "tasks")
_ANY = re.compile(r"\b(?:steps|tasks)\b(?![-\w])")
_NAMED = re.compile(r"""(?:steps|tasks)(?:\.([-\w]+)|\[\\?['"]([^'"\\]+)\\?['"]\])""")


@dataclass(slots=True)
class LocalScope:
    """What the steps or tasks of one template may refer to: inputs and, by name, what each other gave."""

    inputs: Variables = field(default_factory=dict)
    input_artifacts: ArtifactsByName = field(default_factory=dict)
    variables: dict[str, Variables] = field(default_factory=dict)
    artifacts: dict[str, ArtifactsByName] = field(default_factory=dict)

    def add(self, name: str, variables: Variables, artifacts: ArtifactsByName) -> None:
        """Take in what a step or task gave; a second time adds to the first."""
        self.variables.setdefault(name, {}).update(variables)
        self.artifacts.setdefault(name, {}).update(artifacts)

    @classmethod
    def of(cls, prepared: Prepared) -> LocalScope:
        """The scope that the first steps or tasks of a template see: its inputs."""
        return cls(
            inputs={f"inputs.parameters.{name}": v for name, v in parameter_values(prepared.inputs).items()},
            input_artifacts={
                f"inputs.artifacts.{name}": artifact
                for name, artifact in artifacts_by_name(prepared.inputs).items()
            },
        )

    def view(self, names: Iterable[str], more: Variables) -> View:
        """The scope of something that refers to these names."""
        variables: Variables = {**more, **self.inputs}
        artifacts = dict(self.input_artifacts)
        for name in names:
            variables.update(self.variables.get(name, {}))
            artifacts.update(self.artifacts.get(name, {}))
        return View(variables, artifacts)


@dataclass(slots=True)
class View:
    """A scope as substitution takes it: parameters, and artifacts apart."""

    variables: Variables
    artifacts: ArtifactsByName

    def everything(self) -> Variables:
        """Both in one, as expressions that yield artifacts see them."""
        return {**self.variables, **cast("Variables", self.artifacts)}


def referred(data: object, known: Collection[str]) -> tuple[str, ...]:
    """Which of the `known` steps or tasks some JSON data refers to; all where it cannot be told."""
    text = json.dumps(data, ensure_ascii=False)
    found = [first or second for first, second in _NAMED.findall(text)]
    if len(found) < len(_ANY.findall(text)):
        return tuple(known)
    return tuple(name for name in dict.fromkeys(found) if name in known)


def resolve_call(data: Data, view: View, clock: Clock, *, lenient: bool) -> Data:
    """A step or task with all references to others replaced; its hooks stay as they are, for they come later.

    One whose `when` is false is left as it is but for its `when`. lenient: an optional artifact may be missing
    for any reason, as in steps. Raises TemplateError, CallError.
    """
    data = dict(data)
    hooks = data.pop("hooks", None)
    resolved = _resolve_when(data, view, clock)
    if resolved is None:
        resolved = resolve_arguments(data, view, clock, lenient=lenient, prefixes=STRICT)
    if hooks is not None:
        resolved["hooks"] = hooks
    return resolved


def _resolve_when(data: Data, view: View, clock: Clock) -> Data | None:
    """The call if it is not to be made, else None."""
    when = data.get("when")
    if not isinstance(when, str) or not when:
        return None
    text = substitute(when, view.variables, allow_unresolved=True, clock=clock, strict_prefixes=STRICT)
    try:
        return None if should_execute(text) else {**data, "when": text}
    except WhenError:
        if expands(data):
            return None
        raise


def expands(data: Mapping[str, object]) -> bool:
    """Whether a step or task is a loop; an empty list of items is none."""
    return bool(data.get("withItems") or data.get("withParam")) or data.get("withSequence") is not None


def resolve_arguments(
    data: Data, view: View, clock: Clock, *, lenient: bool, prefixes: tuple[str, ...] = ()
) -> Data:
    """Something with `arguments`: tags replaced, artifacts found. Raises TemplateError, CallError."""
    marked = _mark_absent(data, view)
    resolved = cast(
        "Data",
        substitute_tree(marked, view.variables, allow_unresolved=True, clock=clock, strict_prefixes=prefixes),
    )
    arguments = cast("Data", resolved.get("arguments") or {})
    artifacts = cast("list[Data]", arguments.get("artifacts") or [])
    if artifacts:
        found = [resolve_optional(artifact, view, clock, lenient=lenient) for artifact in artifacts]
        resolved["arguments"] = {**arguments, "artifacts": cast("Value", [a for a in found if a is not None])}
    return resolved


def _mark_absent(data: Data, view: View) -> Data:
    arguments = cast("Data", data.get("arguments") or {})
    parameters = cast("list[Data]", arguments.get("parameters") or [])
    marked: list[Value] = []
    for parameter in parameters:
        name = pure_reference(str(parameter.get("value", "")))
        absent = name is not None and view.variables.get(name) is ABSENT
        marked.append({**parameter, "value": ABSENT_ARGUMENT} if absent else parameter)
    return {**data, "arguments": {**arguments, "parameters": marked}} if parameters else data


def resolve_optional(artifact: Data, view: View, clock: Clock, *, lenient: bool) -> Data | None:
    """An artifact argument with its location; None if it is optional and there is none."""
    try:
        found = resolve_artifact(artifact, view, clock)
    except (TemplateError, CallError) as error:
        if artifact.get("optional") and (lenient or "Unable to resolve" in error.problem):
            return None
        raise
    return artifact if found is None else {**found, "name": artifact["name"]}


def resolve_artifact(artifact: Data, view: View, clock: Clock) -> Data | None:
    """The artifact that `from` or `fromExpression` means; None if there is neither. Raises TemplateError, CallError."""
    source, expression = artifact.get("from"), artifact.get("fromExpression")
    if expression:
        value = compile_expression(str(expression)).evaluate(view.everything(), clock)
    elif source:
        value = cast("Value", resolve_reference(str(source), view.everything(), clock))
    else:
        return None
    if not isinstance(value, dict):
        raise CallError(f"Variable {{{{{artifact.get('name')}}}}} is not an artifact")
    sub_path = artifact.get("subPath")
    if sub_path:
        text = substitute(str(sub_path), view.variables, allow_unresolved=True, clock=clock)
        return _below(value, text)
    return dict(value)


def _below(artifact: Data, sub_path: str) -> Data:
    """A part of an artifact: the path is added to its key."""
    for place in LOCATIONS:
        location = artifact.get(place)
        if isinstance(location, dict) and "key" in location:
            return {**artifact, place: {**location, "key": join(str(location["key"]), sub_path)}}
    if artifact.get("optional") or not has_location(artifact):
        return dict(artifact)
    raise CallError("key unsupported: cannot get key for artifact location, because it is invalid")
