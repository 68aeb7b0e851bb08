"""Arguments: what a caller gives, and whether it is what the template needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from nbflow.lint.filling import Values
from nbflow.lint.names import check_names
from nbflow.lint.objects import Json, Template, items, mapping, text
from nbflow.lint.report import Report, Where

_LOCATIONS = {
    "artifactory": "url",
    "azure": "blob",
    "git": "repo",
    "gcs": "key",
    "hdfs": "path",
    "http": "url",
    "oss": "key",
    "raw": "",
    "s3": "key",
    "plugin": "key",
}
"""Place an artifact may be in -> the field without which it is nowhere; the first place that is set counts."""


def has_location(artifact: Json) -> bool:
    """Whether an artifact says where it is."""
    for place, needed in _LOCATIONS.items():
        if isinstance(artifact.get(place), dict):
            location = mapping(artifact, place)
            return not needed or bool(location.get(needed) or location.get("addresses"))
    return False


@dataclass(frozen=True)
class Supply:
    """What the caller of a template gives. made_up: everything, with values that are not known yet."""

    made_up: bool = False
    parameters: dict[str, Json] = field(default_factory=dict)
    artifacts: dict[str, Json] = field(default_factory=dict)


MADE_UP = Supply(made_up=True)


def supply(arguments: Json) -> Supply:
    """What `arguments` give; of two with one name the first."""
    return Supply(
        parameters={text(p, "name"): p for p in reversed(items(arguments, "parameters"))},
        artifacts={text(a, "name"): a for a in reversed(items(arguments, "artifacts"))},
    )


def check_arguments(
    report: Report,
    where: Where,
    arguments: Json,
    said: str,
    *,
    may_lack_values: bool,
    may_repeat: bool = False,
    values: Values | None = None,
) -> None:
    """Names, values and locations. said: how Argo's message calls them ("spec.arguments.").

    may_repeat: of two with one name the first counts. values: of a step or task, what its tags are filled with.
    """
    if not arguments:
        return
    parameters, artifacts = items(arguments, "parameters"), items(arguments, "artifacts")
    for kind, things in (("parameters", parameters), ("artifacts", artifacts)):
        check_names(
            report,
            where.at(kind),
            things,
            f"{said}{kind}",
            parameters=True,
            may_repeat=may_repeat,
            values=values,
        )
    for index, parameter in enumerate(parameters):
        place = where.at("parameters", index)
        called = said + text(parameter, "name")
        _check_value(
            report, place, parameter, called, may_lack_values=may_lack_values, is_inside=values is not None
        )
        if may_lack_values and parameter.get("enum") and parameter.get("value") is None:
            return  # Argo looks no further
    for index, artifact in enumerate(artifacts):
        _check_artifact(report, where.at("artifacts", index), artifact, said + text(artifact, "name"))


def _check_value(
    report: Report, where: Where, parameter: Json, said: str, *, may_lack_values: bool, is_inside: bool
) -> None:
    value, source = parameter.get("value"), parameter.get("valueFrom")
    if value is None and source is None and not may_lack_values:
        report.error("NBF121", where, f"{said}.value or {said}.valueFrom is required", "add `value:`")
    if isinstance(source, dict):
        wanted = (
            source.get("configMapKeyRef") is not None
            or source.get("event")
            or source.get("supplied") is not None
        )
        if not wanted or any(source.get(other) for other in ("path", "jsonPath", "parameter", "expression")):
            problem = f"{said}.valueFrom only allows: default, configMapKeyRef and supplied"
            fix = "give a tag as `value: '{{...}}'`; where the value comes from is said by the outputs of a template"
            report.error("NBF121", where.at("valueFrom"), problem, fix)
    if "enum" in parameter:
        _check_enum(report, where, parameter, said, may_lack_values=may_lack_values, is_inside=is_inside)


def _check_enum(
    report: Report, where: Where, parameter: Json, said: str, *, may_lack_values: bool, is_inside: bool
) -> None:
    value, allowed = parameter.get("value"), parameter.get("enum")
    if not isinstance(allowed, list):
        return
    if not allowed and is_inside:
        return  # Argo loses an empty list when it puts values into the template
    if not allowed:
        report.error(
            "NBF122", where.at("enum"), f"{said}.enum should contain at least one value", "add the values"
        )
    elif value is None:
        if not may_lack_values:
            report.error("NBF122", where, f"{said}.value is required", f"choose one of: {', '.join(allowed)}")
    elif value not in allowed:
        problem = f"{said}.value should be present in {said}.enum list"
        report.error("NBF122", where.at("value"), problem, f"choose one of: {', '.join(allowed)}")


def _check_artifact(report: Report, where: Where, artifact: Json, said: str) -> None:
    origin, expression = text(artifact, "from"), text(artifact, "fromExpression")
    if not origin and not has_location(artifact):
        fix = "add `from: '{{steps.NAME.outputs.artifacts.NAME}}'` or where it is stored"
        report.error("NBF123", where, f"{said}.from, artifact location, or key is required", fix)
    if origin and expression:
        problem = f"{said} shouldn't have both `from` and `fromExpression` in Artifact"
        report.error("NBF123", where.at("fromExpression"), problem, "keep one of them")


def check_supply(
    report: Report, where: Where, template: Template, given: Supply, *, argument_of: str
) -> None:
    """Whether everything that a template needs is given. argument_of: who gives it ("the step", "spec")."""
    if given.made_up:
        return
    for parameter in template.parameters("inputs"):
        name = text(parameter, "name")
        if not _has_value(parameter, given.parameters.get(name)):
            problem = f"templates.{template.name} inputs.parameters.{name} was not supplied"
            fix = f"give {argument_of} `arguments.parameters` an item `name: {name}`, or its input a `value`"
            report.error("NBF120", where, problem, fix)
    for artifact in template.artifacts("inputs"):
        name = text(artifact, "name")
        if not artifact.get("optional") and not has_location(artifact) and name not in given.artifacts:
            problem = f"templates.{template.name} inputs.artifacts.{name} was not supplied"
            fix = f"give {argument_of} `arguments.artifacts` an item `name: {name}`, or make its input `optional`"
            report.error("NBF120", where, problem, fix)


def _has_value(parameter: Json, argument: Json | None) -> bool:
    """Whether an input has a value: the argument hides the input's own, even if it has none itself."""
    value, source = parameter.get("value", parameter.get("default")), parameter.get("valueFrom")
    if argument is not None:
        value, source = argument.get("value"), None if "value" in argument else argument.get("valueFrom")
    return value is not None or (isinstance(source, dict) and source.get("configMapKeyRef") is not None)
