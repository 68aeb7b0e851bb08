"""A Workflow, a template object or a CronWorkflow as a whole."""

from __future__ import annotations

from nbflow.lint.arguments import MADE_UP, Supply, check_arguments, supply
from nbflow.lint.calls import check_call, check_hook_templates, find_holder
from nbflow.lint.check import Check
from nbflow.lint.cron import check_cron
from nbflow.lint.filling import is_reference
from nbflow.lint.names import check_names
from nbflow.lint.objects import Holder, Json, Objects, items, mapping, text
from nbflow.lint.places import check_pod_resources
from nbflow.lint.report import Report, Where
from nbflow.lint.selectors import selector_fault
from nbflow.lint.steps import check_hooks
from nbflow.lint.templates import check_later, is_checked
from nbflow.spec.yaml import Document

LONGEST_NAME = 63
LONGEST_CRON_NAME = 52
_CALLED = {
    "Workflow": "workflow",
    "WorkflowTemplate": "workflow template",
    "ClusterWorkflowTemplate": "cluster workflow template",
    "CronWorkflow": "cron workflow",
}
_POD_GC = ("", "OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess")


def check_object(
    report: Report, document: Document, holder: Holder, objects: Objects, *, submit: bool
) -> None:
    """Check a document of one of Argo's kinds; holder: of its spec."""
    _check_name(report, document)
    if holder.kind == "CronWorkflow":
        check_cron(report, Where(document, ("spec",)), mapping(document.data, "spec"))
        holder = _cron_workflow(holder, mapping(document.data, "spec"))
    is_template = holder.kind in {"WorkflowTemplate", "ClusterWorkflowTemplate"}
    namespace = "" if holder.kind == "ClusterWorkflowTemplate" else holder.namespace
    check = Check(report, objects, namespace, holder, template_object=is_template)
    # A CronWorkflow is checked by the rules of a submit: nobody is there to give it values.
    may_lack_values = is_template or not (submit or holder.kind == "CronWorkflow")
    _check_spec(check, holder, may_lack_values=may_lack_values)


def _check_name(report: Report, document: Document) -> None:
    kind, name = document.kind, document.name
    longest = LONGEST_CRON_NAME if kind == "CronWorkflow" else LONGEST_NAME
    if len(name) > longest:
        problem = f'{_CALLED[kind]} name "{name}" must not be more than {longest} characters long'
        problem += f" (currently {len(name)})"
        report.error(
            "NBF111", Where(document, ("metadata", "name")), problem, f"use at most {longest} characters"
        )


def _cron_workflow(holder: Holder, spec: Json) -> Holder:
    """The Workflow that a CronWorkflow makes."""
    given = mapping(spec, "workflowMetadata")
    metadata: Json = {
        "labels": {**mapping(given, "labels"), "workflows.argoproj.io/cron-workflow": holder.name},
        "annotations": {**mapping(given, "annotations"), "workflows.argoproj.io/scheduled-time": ""},
    }
    where = Where(holder.where.document, holder.where.path, "cannot validate Workflow: ")
    return Holder("local/", holder.spec, where, holder.kind, holder.name, holder.namespace, metadata)


def _check_spec(check: Check, holder: Holder, *, may_lack_values: bool) -> None:
    """In Argo's order, which decides what is known where: arguments, entrypoint, exit handler, then all templates."""
    report, spec, where = check.report, holder.spec, holder.where
    referred, broken = _referred(check, holder)
    check_names(report, where.at("templates"), items(spec, "templates"), "spec.templates")
    _check_plugins(report, where.at("executorPlugins"), items(spec, "executorPlugins"))
    _check_default_plugin(report, where.at("templateDefaults"), mapping(spec, "templateDefaults"))
    check_arguments(
        report,
        where.at("arguments"),
        mapping(spec, "arguments"),
        "spec.arguments.",
        may_lack_values=may_lack_values,
        may_repeat=referred is not None,
    )
    arguments = _merged(spec, referred)
    if referred is not None and not may_lack_values:
        _check_merged(report, where, arguments, mapping(spec, "arguments"))
    _add_globals(check, holder, referred, arguments)
    check_hooks(report, where.at("hooks"), mapping(spec, "hooks"), "hooks")
    if referred is None and not broken:
        check_hook_templates(report, where, {"hooks": mapping(spec, "hooks")}, holder)
    _check_pod_gc(report, where.at("podGC"), mapping(spec, "podGC"))
    if isinstance(spec.get("podResources"), dict):
        check_pod_resources(
            report, where.at("podResources"), mapping(spec, "podResources"), "spec.podResources"
        )
    if broken:
        return
    given = MADE_UP if check.template_object else supply(arguments)
    _check_entrypoint(check, holder, referred, given)
    _check_exit(check, holder, referred)
    _check_all(check, referred or holder, through=where if referred else None)
    check_later(check)


def _referred(check: Check, holder: Holder) -> tuple[Holder | None, bool]:
    """What workflowTemplateRef names, and whether it is missing."""
    reference, where = holder.spec.get("workflowTemplateRef"), holder.where.at("workflowTemplateRef")
    if not isinstance(reference, dict):
        return None, False
    if items(holder.spec, "templates"):
        problem = "Templates is invalid field in spec if workflow referred WorkflowTemplate reference"
        fix = "remove `templates`, or call single ones of the WorkflowTemplate with `templateRef`"
        check.report.error("NBF114", holder.where.at("templates"), problem, fix, key=True)
    found = find_holder(
        check, where.at("name"), text(reference, "name"), cluster=bool(reference.get("clusterScope"))
    )
    return found, found is None


def _merged(spec: Json, referred: Holder | None) -> Json:
    """The arguments of the spec, and those of the template object that it does not name."""
    if referred is None:
        return mapping(spec, "arguments")
    merged: Json = {}
    for kind in ("parameters", "artifacts"):
        found: dict[str, Json] = {}
        for source in (spec, referred.spec):
            for thing in items(mapping(source, "arguments"), kind):
                found.setdefault(text(thing, "name"), thing)
        merged[kind] = list(found.values())
    return merged


def _check_merged(report: Report, where: Where, arguments: Json, own: Json) -> None:
    """The values that the template object leaves to the Workflow."""
    names = {text(parameter, "name") for parameter in items(own, "parameters")}
    for parameter in items(arguments, "parameters"):
        name = text(parameter, "name")
        if name not in names and parameter.get("value") is None and parameter.get("valueFrom") is None:
            said = f"spec.arguments.{name}"
            problem = f"{said}.value or {said}.valueFrom is required"
            report.error("NBF121", where.at("workflowTemplateRef"), problem, f"give it: -p {name}=VALUE")


def _add_globals(check: Check, holder: Holder, referred: Holder | None, arguments: Json) -> None:
    """What `workflow.*` knows."""
    for field in ("name", "namespace", "mainEntrypoint", "serviceAccountName", "uid", "status"):
        check.add_global(f"workflow.{field}")
    parameters = items(arguments, "parameters")
    for name in ("workflow.parameters", "workflow.parameters.json") if parameters else ():
        check.add_global(name)
    for parameter in parameters:
        value = parameter.get("value")
        check.add_global(
            f"workflow.parameters.{text(parameter, 'name')}", value if isinstance(value, str) else None
        )
    sources = [holder.metadata, mapping(holder.spec, "workflowMetadata")]
    sources += [mapping(referred.spec, "workflowMetadata")] if referred else []
    for kind, fields in (("labels", ("labels", "labelsFrom")), ("annotations", ("annotations",))):
        for name in (
            kind,
            f"{kind}.json",
            *(f"{kind}.{key}" for s in sources for f in fields for key in mapping(s, f)),
        ):
            check.add_global(f"workflow.{name}")
    if holder.spec.get("priority") is not None:
        check.add_global("workflow.priority", str(holder.spec["priority"]))
    if check.template_object:
        check.globals.open = ("workflow.parameters",)


def _check_entrypoint(check: Check, holder: Holder, referred: Holder | None, given: Supply) -> None:
    entrypoint = text(holder.spec, "entrypoint") or (text(referred.spec, "entrypoint") if referred else "")
    if not entrypoint:
        if not check.template_object:
            fix = "add `entrypoint:`, the name of the template to begin with"
            check.report.error("NBF112", holder.where, "spec.entrypoint is required", fix, key=True)
        return
    if referred is not None:
        check_call(check, holder.where, _through(holder, entrypoint), holder, given, {}, argument_of="spec")
        return
    target = holder.template(entrypoint)
    where = holder.where.at("entrypoint")
    if target is None:
        from nbflow.spec.similar import did_you_mean

        fix = (
            did_you_mean(entrypoint, holder.template_names)
            or f"the templates are: {', '.join(holder.template_names)}"
        )
        check.report.error("NBF113", where, f"template name '{entrypoint}' undefined", fix)
        return
    check_call(check, where, {"template": entrypoint}, holder, given, {}, argument_of="spec")


def _through(holder: Holder, template: str) -> Json:
    """A call of a template of the object that workflowTemplateRef names."""
    reference = mapping(holder.spec, "workflowTemplateRef")
    cluster = bool(reference.get("clusterScope"))
    return {"templateRef": {"name": text(reference, "name"), "template": template, "clusterScope": cluster}}


def _check_exit(check: Check, holder: Holder, referred: Holder | None) -> None:
    """The exit handler knows the failures of the workflow, and global artifacts whose names come at run time."""
    handler = text(holder.spec, "onExit") or (text(referred.spec, "onExit") if referred else "")
    if not handler:
        return
    check.add_global("workflow.failures")
    for source in (holder, referred):
        for template in items(source.spec, "templates") if source else ():
            for artifact in items(mapping(template, "outputs"), "artifacts"):
                if is_reference(text(artifact, "globalName")):
                    check.globals.any_output_artifact = True
    call: Json = {"template": handler} if referred is None else _through(holder, handler)
    given = supply(mapping(holder.spec, "arguments"))
    where = holder.where if referred else holder.where.at("onExit")
    if referred is None and holder.template(handler) is None:
        from nbflow.spec.similar import did_you_mean

        fix = did_you_mean(handler, holder.template_names)
        check.report.error("NBF113", where, f"template name '{handler}' undefined", fix)
        return
    check_call(check, where, call, holder, given, {}, argument_of="spec")


def _check_all(check: Check, holder: Holder, through: Where | None) -> None:
    """Every template, called or not."""
    for index, data in enumerate(items(holder.spec, "templates")):
        name = text(data, "name")
        if is_checked(check, holder, data, name):
            continue
        where = (
            holder.where.at("templates", index)
            if through is None
            else Where(None, (), through.chain, through)
        )
        if name:
            reached = Where(where.document, where.path, f"{where.chain}templates.{name} ", where.caller)
            check_call(check, reached, {"template": name}, holder, MADE_UP, {}, argument_of="spec")


def _check_default_plugin(report: Report, where: Where, defaults: Json) -> None:
    plugin = defaults.get("plugin")
    if isinstance(plugin, dict) and len(plugin) != 1:
        problem = f"expected exactly one key, got {len(plugin)}"
        report.error("NBF152", where.at("plugin"), problem, "a plugin template names one plugin")


def _check_plugins(report: Report, where: Where, plugins: list[Json]) -> None:
    for index, plugin in enumerate(plugins):
        container = mapping(mapping(mapping(plugin, "spec"), "sidecar"), "container")
        resources = mapping(container, "resources")
        fault = ""
        if not text(mapping(plugin, "metadata"), "name"):
            fault = "executor plugin metadata name is mandatory"
        elif not items(container, "ports"):
            fault = "at least one port is mandatory"
        elif "requests" not in resources or "limits" not in resources:
            fault = f"resources {'limits' if 'requests' in resources else 'requests'} are mandatory"
        elif container.get("securityContext") is None:
            fault = "security context is mandatory"
        if fault:
            report.error("NBF173", where.at(index), f"spec.executorPlugins: {fault}")


def _check_pod_gc(report: Report, where: Where, pod_gc: Json) -> None:
    strategy = text(pod_gc, "strategy")
    if strategy not in _POD_GC:
        problem = f"podGC.strategy unknown strategy '{strategy}'"
        report.error("NBF172", where.at("strategy"), problem, f"choose one of: {', '.join(_POD_GC[1:])}")
    fault = selector_fault(mapping(pod_gc, "labelSelector"))
    if fault:
        report.error("NBF172", where.at("labelSelector"), f"podGC.labelSelector invalid: {fault}")
