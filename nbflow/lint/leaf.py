"""Templates that run something: containers, scripts, container sets, resources."""

from __future__ import annotations

import re

from nbflow.lint.arguments import Supply
from nbflow.lint.check import Check
from nbflow.lint.filling import UNKNOWN, Values, fill, known_parts, without_expressions
from nbflow.lint.names import check_names
from nbflow.lint.objects import Json, Template, items, mapping, text
from nbflow.lint.report import Report, Where
from nbflow.lint.scope import Scope
from nbflow.lint.tags import check_tags
from nbflow.spec.similar import did_you_mean
from nbflow.topology import cycle

ACTIONS = ("get", "create", "apply", "delete", "replace", "patch")


def check_leaf(check: Check, template: Template, scope: Scope, values: Values, given: Supply) -> None:
    """Tags, then what the type asks for."""
    report, data = check.report, template.data
    seen = (
        {**data, "inputs": _inputs_that_count(mapping(data, "inputs"), given)} if "inputs" in data else data
    )
    check_tags(report, template.where, seen, scope, f"templates.{template.name}:", values)
    _check_pod_metadata(check, template, scope, values)
    if template.type == "Container":
        _check_mounts(report, template, mapping(data, "container"))
    if template.type in {"Container", "Script"}:
        _check_image(check, template, template.type.lower())
    if template.type == "ContainerSet":
        _check_container_set(report, template, mapping(data, "containerSet"))
    for index, sidecar in enumerate(items(data, "sidecars")):
        if is_reserved(text(sidecar, "name")):
            problem = f'templates.{template.name}.sidecars: "{text(sidecar, "name")}" is a reserved Argo container name'
            report.error("NBF153", template.where.at("sidecars", index, "name"), problem, "rename it")
    if template.type == "Resource":
        _check_resource(report, template, mapping(data, "resource"), values)
    if template.type == "Plugin" and len(mapping(data, "plugin")) != 1:
        problem = f"expected exactly one key, got {len(mapping(data, 'plugin'))}"
        report.error("NBF152", template.where.at("plugin"), problem, "a plugin template names one plugin")
    _check_limits(report, template, values)


def _inputs_that_count(inputs: Json, given: Supply) -> Json:
    """The inputs with the caller's arguments in place of their own values and places."""
    return {
        "parameters": [
            _filled(parameter, given.parameters.get(text(parameter, "name"), {} if given.made_up else None))
            for parameter in items(inputs, "parameters")
        ],
        "artifacts": [
            _located(artifact, given.artifacts.get(text(artifact, "name"), {} if given.made_up else None))
            for artifact in items(inputs, "artifacts")
        ],
    }


def _filled(parameter: Json, argument: Json | None) -> Json:
    if argument is None:
        return parameter
    kept = {name: value for name, value in parameter.items() if name not in {"value", "valueFrom"}}
    field = "value" if argument.get("value") is not None else "valueFrom"
    return {**kept, field: argument[field]} if field in argument else kept


def _located(artifact: Json, argument: Json | None) -> Json:
    if argument is None:
        return artifact
    kept = {
        name: value for name, value in artifact.items() if name in {"name", "path", "mode", "recurseMode"}
    }
    return {**argument, **kept}


def _check_pod_metadata(check: Check, template: Template, scope: Scope, values: Values) -> None:
    """Labels and annotations that all pods of the object get."""
    metadata = mapping(template.holder.spec, "podMetadata")
    if metadata and template.is_pod:
        where = template.holder.where.at("podMetadata")
        check_tags(check.report, where, metadata, scope, f"templates.{template.name}:", values, alone=False)


def _check_mounts(report: Report, template: Template, container: Json) -> None:
    """No two things at one path."""
    taken: dict[str, str] = {}
    for index, mount in enumerate(items(container, "volumeMounts")):
        path, where = (
            text(mount, "mountPath"),
            template.where.at("container", "volumeMounts", index, "mountPath"),
        )
        said = f"templates.{template.name}.container.volumeMounts[{index}].mountPath"
        if path in taken:
            report.error(
                "NBF151", where, f"{said} '{path}' already mounted in {taken[path]}", "choose another path"
            )
        taken.setdefault(path, f"container.volumeMounts.{text(mount, 'name')}")
    for index, artifact in enumerate(template.artifacts("inputs")):
        path, where = text(artifact, "path"), template.where.at("inputs", "artifacts", index, "path")
        said = f"templates.{template.name}.inputs.artifacts[{index}].path"
        if path and path in taken:
            report.error(
                "NBF151", where, f"{said} '{path}' already mounted in {taken[path]}", "choose another path"
            )
        taken.setdefault(path, f"inputs.artifacts.{text(artifact, 'name')}")


def _check_image(check: Check, template: Template, field: str) -> None:
    """A container needs an image, its own or the one of templateDefaults (not those of the cluster's templates)."""
    report, holder = check.report, template.holder
    defaults = mapping(mapping(holder.spec, "templateDefaults"), field)
    if holder.kind == "ClusterWorkflowTemplate" and holder is not check.own:
        defaults = {}
    if not text(mapping(template.data, field), "image") and not text(defaults, "image"):
        problem = f"templates.{template.name}.{field}.image may not be empty"
        report.error("NBF150", template.where.at(field), problem, "add `image:`")


def is_reserved(name: str) -> bool:
    """Whether Argo needs the name for a container of its own."""
    return name in {"wait", "supervisor"} or name.startswith("artifact-plugin-")


def _check_container_set(report: Report, template: Template, container_set: Json) -> None:
    where, said = template.where.at("containerSet"), f"templates.{template.name}.containerSet"
    containers = items(container_set, "containers")
    names = [text(container, "name") for container in containers]
    if not containers:
        problem = f"{said}.containers must have at least one container"
        report.error("NBF152", where, problem, "add `containers:`")
        return
    check_names(report, where.at("containers"), containers, f"{said}.containers")
    _check_set_mounts(report, where, items(container_set, "volumeMounts"), said)
    graph = {text(c, "name"): tuple(str(n) for n in c.get("dependencies") or ()) for c in containers}  # type: ignore[attr-defined]
    for index, container in enumerate(containers):
        for number, needed in enumerate(graph[text(container, "name")]):
            if needed not in graph:
                problem = f"{said}.containers.{text(container, 'name')} dependency '{needed}' not defined"
                place = where.at("containers", index, "dependencies", number)
                report.error("NBF152", place, problem, did_you_mean(needed, names))
        if is_reserved(text(container, "name")):
            problem = f'{said}.containers: "{text(container, "name")}" is a reserved Argo container name'
            report.error("NBF153", where.at("containers", index, "name"), problem, "rename it")
    ring = cycle(graph)
    if ring:
        problem = f"{said}.containers dependency cycle detected: {'->'.join(ring)}"
        report.error("NBF140", where.at("containers"), problem, "take one of these dependencies out")
    if "main" not in names and _moves_data(template):
        problem = f'{said}.containers must have a container named "main" for input or output'
        report.error(
            "NBF152", where.at("containers"), problem, "name the one that reads or writes them `main`"
        )


def _moves_data(template: Template) -> bool:
    return bool(
        template.artifacts("inputs") or template.artifacts("outputs") or template.parameters("outputs")
    )


def _check_set_mounts(report: Report, where: Where, mounts: list[Json], said: str) -> None:
    taken: dict[str, str] = {}
    for index, mount in enumerate(mounts):
        path = text(mount, "mountPath")
        if path in taken:
            problem = f"{said}.volumeMounts[{index}].mountPath '{path}' already mounted in {taken[path]}"
            report.error(
                "NBF151", where.at("volumeMounts", index, "mountPath"), problem, "choose another path"
            )
        taken.setdefault(path, f"volumeMounts.{text(mount, 'name')}")


def _check_resource(report: Report, template: Template, resource: Json, values: Values) -> None:
    where, said = template.where.at("resource"), f"templates.{template.name}.resource"
    action = fill(text(resource, "action"), values)
    if not action.startswith(UNKNOWN) and action not in ACTIONS:
        problem = f"{said}.action must be one of: get, create, apply, delete, replace, patch"
        report.error("NBF154", where.at("action"), problem, did_you_mean(action, ACTIONS))
    if action in {"get", "delete"}:
        return
    manifest, source = text(resource, "manifest"), resource.get("manifestFrom")
    if not manifest and source is None:
        problem = f"either {said}.manifest or {said}.manifestFrom must be specified"
        report.error("NBF154", where, problem, "add `manifest: |` and the object")
    if manifest and source is not None:
        problem = (
            "shouldn't have both `manifest` and `manifestFrom` specified in `Manifest` for resource template"
        )
        report.error("NBF154", where.at("manifestFrom"), problem, "keep one of them", key=True)
    artifact = source.get("artifact") if isinstance(source, dict) else None
    if isinstance(artifact, dict) and text(artifact, "name") not in [
        text(a, "name") for a in template.artifacts("inputs")
    ]:
        problem = f"artifact {text(artifact, 'name')} in `manifestFrom` refer to a non-exist artifact"
        report.error(
            "NBF154",
            where.at("manifestFrom", "artifact", "name"),
            problem,
            "declare it in `inputs.artifacts`",
        )
    if manifest:
        _check_manifest(report, where.at("manifest"), fill(manifest, values), said)


def _check_manifest(report: Report, where: Where, manifest: str, said: str) -> None:
    """The manifest has to be YAML once its tags are filled in."""
    from nbflow.spec.build import Fault, build

    if manifest.startswith(UNKNOWN):
        return
    try:
        build(without_expressions(known_parts(manifest, "x")))
    except Fault as fault:
        problem = (
            f"{said}.manifest must be a valid yaml: {fault.problem.removeprefix('the YAML is malformed: ')}"
        )
        report.error("NBF154", where, problem, fault.fix)


def _check_limits(report: Report, template: Template, values: Values) -> None:
    deadline = template.data.get("activeDeadlineSeconds")
    if isinstance(deadline, str):
        deadline = fill(deadline, values)
        number = re.fullmatch(r"[-+]?\d+", deadline)
        later = deadline.startswith(UNKNOWN) or (deadline.startswith("{{") and deadline.endswith("}}"))
        deadline = int(deadline) if number else 0 if later else -1
    if isinstance(deadline, int) and deadline < 0:
        problem = f"templates.{template.name}.activeDeadlineSeconds must be a positive integer > 0 or an argo variable"
        report.error(
            "NBF155", template.where.at("activeDeadlineSeconds"), problem, "write a number of seconds"
        )
    if template.data.get("parallelism") is not None:
        problem = f"templates.{template.name}.parallelism is only valid for steps and dag templates"
        report.error(
            "NBF155", template.where.at("parallelism"), problem, "set it where the loop is", key=True
        )
