"""A template: what it is, takes, does and gives."""

from __future__ import annotations

import re
from collections import ChainMap

from nbflow.lint.arguments import Supply, check_supply
from nbflow.lint.check import Check
from nbflow.lint.filling import Values, fill
from nbflow.lint.inputs import check_inputs, local_names
from nbflow.lint.metrics import check_metrics
from nbflow.lint.objects import Holder, Json, Template, items, mapping, text
from nbflow.lint.outputs import check_outputs
from nbflow.lint.places import check_location, check_pod_resources
from nbflow.lint.report import Where
from nbflow.lint.scope import Scope

DEEPEST = 40
"""Templates that call each other before the rest waits; Python's stack has an end."""
_TIMEOUTS = frozenset({"timeout", "pendingTimeout"})


def check_template(
    check: Check, template: Template, given: Supply, caller: Where, *, argument_of: str
) -> None:
    """Check a template as `caller` calls it; all that does not depend on the call only the first time."""
    report, where, name = check.report, template.where, template.name
    if len(template.types) > 1:
        problem = f"templates.{name} multiple template types specified. choose one of: "
        problem += "container, containerSet, steps, script, resource, dag, suspend, template, template ref"
        report.error("NBF115", where, problem, "keep one of them")
        return
    check_supply(report, caller, template, given, argument_of=argument_of)
    if is_checked(check, template.holder, template.data, name):
        return
    mark = f"{template.holder.scope}/{name}"
    values = _values(check, template, given)
    _check_timeouts(check, template, values)
    if mark in check.seen:
        if name == "":
            with report.as_warnings():  # Argo looks into the first inline template only
                _check_inside(check, template, given, values)
        return
    check.seen.add(mark)
    if check.depth >= DEEPEST:
        check.later.append((template, given))
        return
    check.depth += 1
    _check_inside(check, template, given, values)
    check.depth -= 1


def is_checked(check: Check, holder: Holder, data: Json, name: str) -> bool:
    """Whether a template was looked into, and one more call with good arguments can tell nothing new."""
    return name != "" and f"{holder.scope}/{name}" in check.seen and _TIMEOUTS.isdisjoint(data)


def check_later(check: Check) -> None:
    """Look into the templates that were too deep down."""
    while check.later:
        template, given = check.later.pop()
        _check_inside(check, template, given, _values(check, template, given))


def _values(check: Check, template: Template, given: Supply) -> Values:
    """What the tags of a template are filled with: those of one that is written inline first from around it."""
    own = _input_values(template, given)
    return (
        ChainMap(dict(template.filled), own, check.values) if template.filled else ChainMap(own, check.values)
    )


def _input_values(template: Template, given: Supply) -> dict[str, str | None]:
    """What the inputs are filled with; None for what is only known when it runs."""
    values: dict[str, str | None] = {"pod.name": None} if template.is_pod else {}
    for parameter in template.parameters("inputs"):
        name = text(parameter, "name")
        argument = given.parameters.get(name, parameter)
        value = argument.get("value", parameter.get("default"))
        values[f"inputs.parameters.{name}"] = None if given.made_up or value is None else str(value)
    with_tags = [value for value in values.values() if value and "{{" in value]
    values["inputs.parameters"] = f"[{' '.join(with_tags)}]" if template.parameters("inputs") else "null"
    return values


def _check_inside(check: Check, template: Template, given: Supply, values: Values) -> None:
    """What does not depend on the caller."""
    from nbflow.lint.dag import check_dag
    from nbflow.lint.leaf import check_leaf
    from nbflow.lint.steps import check_steps

    where, name = template.where, template.name
    _check_pod(check, template)
    check_inputs(check.report, template)
    scope = Scope(check.globals, local_names(template))
    scope.add(name for name in template.filled if name.startswith("inputs."))
    if template.data.get("steps") == []:  # Argo loses an empty list when it puts values into the template
        template = Template(template.data, where, template.holder, (), template.filled)
    if template.type == "Steps":
        check_steps(check, template, scope, values)
    elif template.type == "DAG":
        check_dag(check, template, scope, values)
    else:
        check_leaf(check, template, scope, values, given)
    check_outputs(check.report, template, scope, values)
    location = template.data.get("archiveLocation")
    if isinstance(location, dict):
        said = f"templates.{name}.archiveLocation"
        check_location(check.report, where.at("archiveLocation"), location, said)
    if "metrics" in template.data:
        check_metrics(check.report, where.at("metrics"), mapping(template.data, "metrics"), name)


def _check_pod(check: Check, template: Template) -> None:
    """What only a template that makes a pod may ask for."""
    report, where, said = check.report, template.where, f"templates.{template.name}"
    resources = template.data.get("podResources")
    if isinstance(resources, dict):
        if template.type in {"HTTP", "Plugin"}:
            problem = f"{said}.podResources is not supported for {template.type} templates"
            report.error("NBF156", where.at("podResources"), problem, "remove it: these share one pod")
        else:
            check_pod_resources(report, where.at("podResources"), resources, f"{said}.podResources")
    if items(template.data, "resourceClaims") and not template.is_pod:
        problem = (
            f"{said}.resourceClaims is not supported for {template.type} templates, which do not create a pod"
        )
        report.error("NBF156", where.at("resourceClaims"), problem, "move it to the templates that it calls")
    for index, container in enumerate(items(template.data, "initContainers")):
        if not text(container, "name"):
            place = where.at("initContainers", index)
            report.error("NBF153", place, "initContainers must all have container name", "add `name:`")


def _check_timeouts(check: Check, template: Template, values: Values) -> None:
    where, timeout = template.where, fill(text(template.data, "timeout"), values)
    if timeout and not template.is_leaf:
        problem = f"{template.type} template doesn't support timeout field"
        check.report.error(
            "NBF155", where.at("timeout"), problem, "set it on the templates that it calls", key=True
        )
    elif timeout and re.fullmatch(r"[-+]?[0-9]+", timeout):
        problem = f"{template.name} has invalid duration format in timeout"
        check.report.error("NBF155", where.at("timeout"), problem, f"add a unit: `timeout: {timeout}s`")
    if text(template.data, "pendingTimeout") and not template.is_leaf:
        problem = f"{template.type} template doesn't support pendingTimeout field"
        fix = "set it on the templates that it calls"
        check.report.error("NBF155", where.at("pendingTimeout"), problem, fix, key=True)
