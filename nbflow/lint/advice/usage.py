"""Templates, parameters and outputs that nothing uses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nbflow.lint.objects import Holder, Json, Template, groups, items, mapping, text
from nbflow.lint.report import Report

_REFERENCE = re.compile(r"\b(inputs|workflow|outputs)\.parameters(?:\.([-\w]+))?(?=(\.?\{\{)?)")
_TELLS_ALL = "*"
"""Stands for all names: a tag within a tag, the JSON of all, a lookup by an expression."""
_OTHERS_LOOK_IN = frozenset({"Suspend", "Plugin", ""})
"""Types whose inputs are there for people or programs that are not in the manifest."""


def advise_usage(report: Report, holder: Holder, templates: list[Template]) -> None:
    """What a workflow declares and never uses. Of a template object, only what others cannot see."""
    used = [_references(template.data) for template in templates]
    for template, names in zip(templates, used, strict=True):
        _advise_inputs(report, template, names["inputs"])
    if holder.kind not in {"Workflow", "CronWorkflow"} or "workflowTemplateRef" in holder.spec:
        return
    if not _advise_templates(report, holder, templates):
        return
    everywhere = _references({key: value for key, value in holder.spec.items() if key != "templates"})
    for kind in everywhere:
        everywhere[kind] = everywhere[kind].union(*(names[kind] for names in used))
    if not any(_refers_elsewhere(template) for template in templates):
        _advise_arguments(report, holder, everywhere["workflow"])
    _advise_outputs(report, holder, templates, everywhere["outputs"])


def _references(value: object) -> dict[str, set[str]]:
    """The parameters that texts in it, keys included, name, for `inputs`, `workflow` and `outputs`."""
    found: dict[str, set[str]] = {"inputs": set(), "workflow": set(), "outputs": set()}
    for line in _texts(value):
        for match in _REFERENCE.finditer(line):
            kind, name, nested = match.groups()
            found[kind].add(
                _TELLS_ALL if nested or not name or (kind, name) == ("workflow", "json") else name
            )
    return found


def _texts(value: object) -> list[str]:
    """The texts in it that may name parameters."""
    found: list[str] = []
    todo = [value]
    while todo:
        part = todo.pop()
        if type(part) is str:
            if ".parameters" in part:
                found.append(part)
        elif type(part) is dict:
            todo += part.values()
            for key in part:
                if "{{" in key:
                    todo.append(key)
        elif type(part) is list:
            todo += part
    return found


def _unused(things: list[Json], names: set[str]) -> Iterator[tuple[int, str]]:
    if _TELLS_ALL not in names:
        for index, thing in enumerate(things):
            name = text(thing, "name")
            if name and name not in names and "{{" not in name:
                yield index, name


def _advise_inputs(report: Report, template: Template, names: set[str]) -> None:
    if template.type in _OTHERS_LOOK_IN:
        return
    for index, name in _unused(template.parameters("inputs"), names):
        place = template.where.at("inputs", "parameters", index, "name")
        fix = f"remove it, or use {{{{inputs.parameters.{name}}}}} in the template"
        report.warning(
            "NBF221", place, f"templates.{template.name} never uses its input parameter '{name}'", fix
        )


def _advise_arguments(report: Report, holder: Holder, names: set[str]) -> None:
    """Arguments of the workflow also are the inputs of its entrypoint and exit handler."""
    taken = set(names)
    for called in _roots(holder):
        template = holder.template(called)
        taken |= {text(p, "name") for p in template.parameters("inputs")} if template else set()
    for index, name in _unused(items(mapping(holder.spec, "arguments"), "parameters"), taken):
        place = holder.where.at("arguments", "parameters", index, "name")
        fix = f"remove it, or use {{{{workflow.parameters.{name}}}}}"
        report.warning("NBF221", place, f"the workflow never uses its parameter '{name}'", fix)


def _advise_outputs(report: Report, holder: Holder, templates: list[Template], names: set[str]) -> None:
    """Artifacts and the outputs of the entrypoint are results that people look at."""
    roots = set(_roots(holder))
    for template in templates:
        if template.name in roots or template.type in _OTHERS_LOOK_IN:
            continue
        for index, name in _unused(template.parameters("outputs"), names):
            if not text(template.parameters("outputs")[index], "globalName"):
                place = template.where.at("outputs", "parameters", index, "name")
                problem = f"nothing uses the output parameter '{name}' of templates.{template.name}"
                report.warning(
                    "NBF222", place, problem, "remove it, or give it a `globalName` if it is a result"
                )


def _advise_templates(report: Report, holder: Holder, templates: list[Template]) -> bool:
    """Whether it can be told which templates are reached."""
    roots = _roots(holder)
    if not roots or not text(holder.spec, "entrypoint"):
        return False
    todo, reached = roots, set(roots)
    while todo:
        name = todo.pop()
        if "{{" in name:
            return False
        template = holder.template(name)
        if template is None:
            return False  # misspelt, and it may mean any of those that seem unused
        called = set(_called(template.data)) - reached
        reached |= called
        todo += called
    for template in templates:
        if template.name and template.name not in reached:
            problem = f"template '{template.name}' is never used"
            fix = "remove it, or call it from a step or task"
            report.warning("NBF220", template.where.at("name"), problem, fix)
    return True


def _roots(holder: Holder) -> list[str]:
    """What the workflow itself calls."""
    hooks = (text(hook, "template") for hook in mapping(holder.spec, "hooks").values())
    named = [text(holder.spec, "entrypoint"), text(holder.spec, "onExit"), *hooks]
    return [*filter(None, named), *_called(mapping(holder.spec, "templateDefaults"))]


def _called(template: object) -> Iterator[str]:
    """The templates that steps and tasks call, with their hooks, inline ones included."""
    todo = [template]
    while todo:
        data = todo.pop()
        for call in _calls(data):
            named = [text(call, "template"), text(call, "onExit")]
            named += [text(hook, "template") for hook in mapping(call, "hooks").values()]
            yield from filter(None, named)
            if "inline" in call:
                todo.append(call["inline"])


def _calls(template: object) -> Iterator[Json]:
    yield from items(mapping(template, "dag"), "tasks")
    for group in groups(template):
        yield from group


def _refers_elsewhere(template: Template) -> bool:
    """Whether it calls templates of other objects, which may look at the workflow's parameters."""
    return any("templateRef" in call or "inline" in call for call in _calls(template.data))
