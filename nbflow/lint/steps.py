"""Steps: each one named once, calling a template that is there, with tags that look back only."""

from __future__ import annotations

from nbflow.lint.arguments import MADE_UP, check_arguments, supply
from nbflow.lint.calls import check_call, check_hook_templates
from nbflow.lint.check import Check, add_outputs
from nbflow.lint.filling import Values, fill, known_parts
from nbflow.lint.loops import add_items, is_aggregated
from nbflow.lint.names import field_name_fault, mended
from nbflow.lint.objects import Json, Template, items, mapping, text
from nbflow.lint.report import Report, Where
from nbflow.lint.scope import Scope
from nbflow.lint.tags import check_tags
from nbflow.lint.templates import check_template


def check_steps(check: Check, template: Template, scope: Scope, values: Values) -> None:
    """All groups, in their order: what a step gives can be used by those after it."""
    check_no_leaf_fields(check.report, template)
    names: set[str] = set()
    groups = template.data.get("steps")
    for number, group in enumerate(groups if isinstance(groups, list) else []):
        for index, step in enumerate(group if isinstance(group, list) else []):
            where = template.where.at("steps", number, index)
            said = f"templates.{template.name}.steps[{number}]"
            if _check_name(check.report, where, text(step, "name"), names, said, values):
                _check_step(check, where, step, template, scope, values, said)


def _check_name(report: Report, where: Where, name: str, names: set[str], said: str, values: Values) -> bool:
    """Whether there is a name; it has to be well formed and new. A tag in it is filled in when it runs."""
    if not name:
        report.error("NBF110", where, f"{said}.name is required", "add `name:`")
        return False
    if name in names:
        report.error("NBF110", where.at("name"), f"{said}.name '{name}' is not unique", "rename one of them")
    fault = field_name_fault(known_parts(fill(name, values), "x"))
    if fault:
        report.error("NBF110", where.at("name"), f"{said}.name '{name}' is invalid: {fault}", mended(name))
    names.add(name)
    return True


def _check_step(
    check: Check, where: Where, step: Json, template: Template, scope: Scope, values: Values, said: str
) -> None:
    report, name = check.report, text(step, "name")
    called = f"{said}.{name}"
    name = fill(name, values)
    scope.names.add(f"steps.{name}.status")
    add_items(report, where, step, scope, called)
    arguments = mapping(step, "arguments")
    if arguments:
        check_arguments(
            report,
            where.at("arguments"),
            arguments,
            f"{called}.arguments.",
            may_lack_values=False,
            values=values,
        )
    reached = where.after(called)
    resolved = check_call(check, reached, step, template.holder, MADE_UP, values, argument_of="the step")
    if has_exit_hook(step):
        add_outputs(check, scope, "steps", name, resolved, aggregated=False)
    if "hooks" in step:
        check_hooks(report, where.at("hooks"), mapping(step, "hooks"), called)
    check_hook_templates(report, where, step, template.holder)
    inner = scope.inner()
    inner.add(f"inputs.parameters.{text(p, 'name')}" for p in _inline_inputs(step))
    check_tags(report, where, step, inner, f"templates.{template.name}.steps", values)
    add_outputs(check, scope, "steps", name, resolved, aggregated=is_aggregated(step))
    if resolved is not None:
        check_template(check, resolved, supply(arguments), reached, argument_of="the step")


def _inline_inputs(call: Json) -> list[Json]:
    return items(mapping(mapping(call, "inline"), "inputs"), "parameters")


def has_exit_hook(call: Json) -> bool:
    """Whether something runs when the step or task ends."""
    return bool(text(call, "onExit")) or "exit" in mapping(call, "hooks")


def check_hooks(report: Report, where: Where, hooks: Json, said: str) -> None:
    """A hook other than `exit` has to say when it runs."""
    for name, hook in hooks.items():
        if name != "exit" and not text(hook, "expression"):
            problem = f"{said}.{name} Expression required"
            fix = 'add `expression:`, for example `expression: workflow.status == "Running"`; only `exit` goes without'
            report.error("NBF170", where.at(name), problem, fix)


def check_no_leaf_fields(report: Report, template: Template) -> None:
    """Steps and DAGs have no deadline of their own."""
    if template.data.get("activeDeadlineSeconds") is not None:
        problem = f"templates.{template.name}.activeDeadlineSeconds is only valid for leaf templates"
        fix = "set it on the templates that it calls, or `spec.activeDeadlineSeconds` for all"
        report.error("NBF155", template.where.at("activeDeadlineSeconds"), problem, fix, key=True)
