"""What a template takes."""

from __future__ import annotations

from nbflow.lint.names import check_names
from nbflow.lint.objects import Template, mapping, text
from nbflow.lint.places import check_location, path_fault
from nbflow.lint.report import Report


def check_inputs(report: Report, template: Template) -> None:
    """Names of parameters and artifacts; paths and places of artifacts."""
    if "inputs" not in template.data:
        return
    where, said = template.where.at("inputs"), f"templates.{template.name}.inputs"
    check_names(
        report, where.at("parameters"), template.parameters("inputs"), f"{said}.parameters", parameters=True
    )
    artifacts = template.artifacts("inputs")
    check_names(report, where.at("artifacts"), artifacts, f"{said}.artifacts", parameters=True)
    for index, artifact in enumerate(artifacts):
        place, called = where.at("artifacts", index), f"{said}.artifacts.{text(artifact, 'name')}"
        if template.is_leaf:
            fault = path_fault(artifact)
            if fault:
                report.error("NBF161", place.at("path"), f"error in {called}: {fault}", _path_fix(fault))
        elif text(artifact, "path"):
            problem = f"{called}.path only valid in container/script templates"
            report.error(
                "NBF161", place.at("path"), problem, "remove it: the templates called say where they want it"
            )
        if text(artifact, "from"):
            problem = f"{called}.from not valid in inputs"
            report.error("NBF123", place.at("from"), problem, "the caller says `from` in its arguments")
        check_location(report, place, artifact, called)


def _path_fix(fault: str) -> str:
    return (
        "add `path:`, where the artifact is in the container"
        if "did not specify" in fault
        else "write it without `..`"
    )


def local_names(template: Template) -> set[str]:
    """The names that tags in this template may use for what is its own."""
    names = {"inputs.parameters"} | {
        f"inputs.parameters.{text(p, 'name')}" for p in template.parameters("inputs")
    }
    for artifact in template.artifacts("inputs"):
        names.add(f"inputs.artifacts.{text(artifact, 'name')}")
        if template.is_leaf:
            names.add(f"inputs.artifacts.{text(artifact, 'name')}.path")
    if template.is_pod:
        names.add("pod.name")
    if template.data.get("retryStrategy") is not None:
        names |= {
            "retries",
            *(f"lastRetry.{field}" for field in ("exitCode", "status", "duration", "message")),
        }
    if template.is_leaf and "outputs" in template.data:
        names |= _paths_of_outputs(template)
    return names


def _paths_of_outputs(template: Template) -> set[str]:
    artifacts = {
        f"outputs.artifacts.{text(a, 'name')}.path" for a in template.artifacts("outputs") if text(a, "path")
    }
    parameters = {
        f"outputs.parameters.{text(p, 'name')}.path"
        for p in template.parameters("outputs")
        if text(mapping(p, "valueFrom"), "path")
    }
    return artifacts | parameters
