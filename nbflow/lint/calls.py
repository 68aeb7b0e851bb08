"""A step, task, entrypoint or exit handler calls a template: which one, and does the call fit."""

from __future__ import annotations

from nbflow.lint.arguments import Supply
from nbflow.lint.check import Check
from nbflow.lint.filling import UNKNOWN, Values, fill, open_end, tags
from nbflow.lint.objects import Holder, Json, Template, mapping, text
from nbflow.lint.report import Report, Where
from nbflow.spec.similar import did_you_mean

RETRY_POLICIES = ("Always", "OnFailure", "OnError", "OnTransientError")


def check_call(
    check: Check, where: Where, call: Json, holder: Holder, given: Supply, values: Values, *, argument_of: str
) -> Template | None:
    """Check the template that `call` names, with what it is given; None if it cannot be known here.

    values: what is filled in before Argo looks for the name.
    """
    from nbflow.lint.templates import check_template

    template = find_template(check, where, call, holder, values)
    if template is None:
        return None
    if not template.type:
        problem = f"template '{template.name}' type is unknown"
        check.report.error("NBF115", template.where, problem, f"{_UNSPECIFIED} {_choose()}")
        return None
    policy = text(mapping(template.data, "retryStrategy"), "retryPolicy")
    if policy and policy not in RETRY_POLICIES:
        place = template.where.at("retryStrategy", "retryPolicy")
        fix = did_you_mean(policy, RETRY_POLICIES) or f"choose one of: {', '.join(RETRY_POLICIES)}"
        check.report.error("NBF157", place, f"{policy} is not a valid RetryPolicy", fix)
    check_template(check, template, given, where, argument_of=argument_of)
    return template


_UNSPECIFIED = "template type unspecified."


def _choose() -> str:
    return "choose one of: container, containerSet, steps, script, resource, dag, suspend, http, data, plugin"


def find_template(check: Check, where: Where, call: Json, holder: Holder, values: Values) -> Template | None:
    """The template that is meant; None, with a finding or because it is only known when it runs."""
    name, inline, reference = text(call, "template"), call.get("inline"), call.get("templateRef")
    if isinstance(reference, dict):
        if name:
            problem = "template name cannot be specified with templateRef"
            check.report.error(
                "NBF114", where.at("templateRef"), problem, "keep `template` or `templateRef`", key=True
            )
        elif not _is_known(check, where, reference, values):
            return None
        elif not isinstance(inline, dict):
            return _referred(check, where, reference, values)
    elif name:
        name = fill(name, values)
        found = holder.template(name)
        if found is None:
            problem = f"template name '{_shown(call, name)}' undefined"
            fix = (
                did_you_mean(name, holder.template_names)
                or "add a template of this name, or use `templateRef`"
            )
            check.report.error("NBF113", where.at("template"), problem, fix)
        elif not isinstance(inline, dict):
            return found.reached(_called(found.where, where))
    elif not isinstance(inline, dict):
        check.report.error("NBF113", where, "failed to get a template", "add `template: NAME`")
    return _inline(inline, where.at("inline"), holder, values) if isinstance(inline, dict) else None


def _inline(data: Json, where: Where, holder: Holder, values: Values) -> Template:
    """A template in a step or task; Argo loses an empty list of steps when it puts values into what holds it."""
    if data.get("steps") == []:
        data = {name: value for name, value in data.items() if name != "steps"}
    return Template(data, where, holder, filled=values)


def check_hook_templates(report: Report, where: Where, call: Json, holder: Holder) -> None:
    """What hooks and `onExit` of a step, task or workflow call; Argo only looks when it runs them."""
    named: list[tuple[tuple[str, ...], str]] = [(("onExit",), text(call, "onExit"))]
    named += [
        (("hooks", name, "template"), text(hook, "template")) for name, hook in mapping(call, "hooks").items()
    ]
    for path, name in named:
        if name and "{{" not in name and holder.template(name) is None:
            fix = did_you_mean(name, holder.template_names) or "add a template of this name"
            report.warning("NBF204", where.at(*path), f"the hook's template name '{name}' is undefined", fix)


def _shown(call: Json, name: str) -> str:
    return text(call, "template") if UNKNOWN in name else name


def _called(where: Where, caller: Where) -> Where:
    """The template's place, reached from its caller."""
    return Where(where.document, where.path, caller.chain, where.caller or caller)


def _is_known(check: Check, where: Where, reference: Json, values: Values) -> bool:
    """Whether a templateRef says which template it means, now and not only when the step runs."""
    name, template = fill(text(reference, "name"), values), fill(text(reference, "template"), values)
    if not name or not template:
        problem = "resource name is required" if not name else "template name is required"
        place = where.at("templateRef")
        check.report.error("NBF114", place, problem, "a templateRef has a `name` and a `template`")
        return False
    both = f"{name} {template}"
    return not open_end(both) and all(both[start + 2] == "=" for start, _ in tags(both))


def _referred(check: Check, where: Where, reference: Json, values: Values) -> Template | None:
    """The template that a templateRef names."""
    place = where.at("templateRef")
    name, template_name = fill(text(reference, "name"), values), fill(text(reference, "template"), values)
    cluster = bool(reference.get("clusterScope"))
    holder = find_holder(check, place.at("name"), name, cluster=cluster)
    found = holder.template(template_name) if holder else None
    if holder is not None and found is None and UNKNOWN not in template_name:
        fix = did_you_mean(template_name, holder.template_names)
        problem = f"template reference {name}.{template_name} not found"
        check.report.error("NBF114", place.at("template"), problem, fix)
    if holder is None or found is None:
        return None
    return found.reached(_called(found.where, where))


def find_holder(check: Check, where: Where, name: str, *, cluster: bool) -> Holder | None:
    """The WorkflowTemplate or ClusterWorkflowTemplate of that name; None with a finding."""
    holder = check.objects.find(name, check.namespace, cluster=cluster)
    if holder is None:
        problem = (
            f'couldn\'t find cluster workflow template "{name}": "{name}" not found'
            if cluster
            else f'couldn\'t find workflow template "{name}" in namespace "{check.namespace}": "{name}" not found'
        )
        other = check.objects.find(name, check.namespace, cluster=not cluster)
        fix = did_you_mean(name, check.objects.names(cluster=cluster)) or "create it, or give its file too"
        if other is not None:
            fix = (
                "remove `clusterScope`"
                if cluster
                else "it is a ClusterWorkflowTemplate: add `clusterScope: true`"
            )
        check.report.error("NBF114", where, problem, fix)
    return holder
