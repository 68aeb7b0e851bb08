"""What a template gives."""

from __future__ import annotations

from nbflow.lint.filling import Values, fill, is_reference, known_parts
from nbflow.lint.names import check_names, parameter_name_fault
from nbflow.lint.objects import Json, Template, mapping, text
from nbflow.lint.places import path_fault
from nbflow.lint.report import Report, Where
from nbflow.lint.scope import Scope
from nbflow.lint.tags import check_closed, check_tags

_SOURCES = ("path", "jqFilter", "jsonPath", "parameter", "expression")


def check_outputs(report: Report, template: Template, scope: Scope, values: Values) -> None:
    """Names, tags, paths, and where the values come from."""
    if "outputs" not in template.data:
        return
    where, said = template.where.at("outputs"), f"templates.{template.name}.outputs"
    parameters, artifacts = template.parameters("outputs"), template.artifacts("outputs")
    check_names(
        report, where.at("parameters"), parameters, f"{said}.parameters ", parameters=True, values=values
    )
    check_names(
        report, where.at("artifacts"), artifacts, f"{said}.artifacts ", parameters=True, values=values
    )
    if not template.is_leaf and template.type != "Suspend":
        check_tags(report, where, mapping(template.data, "outputs"), scope, said, values)
    else:
        check_closed(report, where, mapping(template.data, "outputs"), template.data, said, values)
    for index, artifact in enumerate(artifacts):
        _check_artifact(report, where.at("artifacts", index), artifact, template, values)
    for index, parameter in enumerate(parameters):
        place, called = where.at("parameters", index), f"{said}.parameters.{text(parameter, 'name')}"
        _check_source(report, place, parameter, called)
        if isinstance(parameter.get("valueFrom"), dict):
            _check_source_fits(
                report, place.at("valueFrom"), mapping(parameter, "valueFrom"), template, called
            )
        _check_global_name(report, place, parameter, called, values)


def _check_artifact(report: Report, where: Where, artifact: Json, template: Template, values: Values) -> None:
    said = f"templates.{template.name}.outputs.artifacts.{text(artifact, 'name')}"
    if template.is_leaf:
        fault = path_fault(artifact)
        if fault:
            report.error(
                "NBF161",
                where.at("path"),
                f"error in {said}: {fault}",
                "add `path:`, where the container writes it",
            )
    elif text(artifact, "path"):
        problem = f"{said}.path only valid in container/script templates"
        report.error(
            "NBF161", where.at("path"), problem, "say `from: '{{steps.NAME.outputs.artifacts.NAME}}'` instead"
        )
    _check_global_name(report, where, artifact, said, values)


def _check_global_name(report: Report, where: Where, thing: Json, said: str, values: Values) -> None:
    name = text(thing, "globalName")
    name = known_parts(fill(name, values), "x") if "{{" in name else name
    if name and not is_reference(name) and parameter_name_fault(name):
        report.error("NBF163", where.at("globalName"), f"{said}.globalName: {parameter_name_fault(name)}")


def _check_source(report: Report, where: Where, parameter: Json, said: str) -> None:
    """Exactly one of value and the sources of valueFrom."""
    value, source = parameter.get("value"), parameter.get("valueFrom")
    if value is not None:
        if source is not None:
            problem = f"{said} has both valueFrom and value specified, choose one"
            report.error("NBF160", where.at("valueFrom"), problem, "keep one of them", key=True)
        return
    if not isinstance(source, dict):
        problem = f"{said} does not have valueFrom or value specified"
        report.error("NBF160", where, problem, "add `valueFrom: {path: /tmp/FILE}` or another source")
        return
    given = [name for name in _SOURCES if source.get(name)] + (
        ["supplied"] if source.get("supplied") is not None else []
    )
    if not given:
        problem = (
            "valueFrom type unspecified. choose one of: path, jqFilter, jsonPath, parameter, raw, expression"
        )
        report.error("NBF160", where.at("valueFrom"), problem)
    elif len(given) > 1:
        problem = (
            "multiple valueFrom types specified. choose one of: path, jqFilter, jsonPath, parameter, raw"
        )
        report.error("NBF160", where.at("valueFrom"), problem, f"keep one of: {', '.join(given)}")


def _check_source_fits(report: Report, where: Where, source: Json, template: Template, said: str) -> None:
    """The source has to be one that this type of template has."""
    kind = template.type
    if kind in {"Container", "ContainerSet", "Script"} and not text(source, "path"):
        report.error(
            "NBF160",
            where,
            f"{said}.path must be specified for {kind} templates",
            "write the value to a file",
        )
    if kind == "Resource" and not text(source, "jqFilter") and not text(source, "jsonPath"):
        report.error("NBF160", where, f"{said} .jqFilter or jsonPath must be specified for {kind} templates")
    if kind in {"DAG", "Steps"}:
        if not text(source, "parameter") and not text(source, "expression"):
            problem = f"{said}.parameter or expression must be specified for {kind} templates"
            inner = "steps" if kind == "Steps" else "tasks"
            report.error(
                "NBF160", where, problem, f"add `parameter: '{{{{{inner}.NAME.outputs.parameters.NAME}}}}'`"
            )
        elif text(source, "parameter") and text(source, "expression"):
            problem = f"{said} shouldn't have both `from` and `expression` specified in `ValueFrom`"
            problem += f" for {kind} templates"
            report.error("NBF160", where, problem, "keep one of them")
