"""Tags that resolve to nothing."""

from __future__ import annotations

from nbflow.lint.report import Report, Where
from nbflow.lint.scope import TAG, Scope, Values, fill, shown
from nbflow.spec.similar import did_you_mean
from nbflow.templating.catalogue import LINTED_PREFIXES, find_variable, is_linted

Found = list[tuple[list[str | int], str]]


def tagged(value: object) -> Found:
    """All texts in a JSON value, keys included, that hold a tag: their paths (from the inside out) and themselves."""
    found: Found = []
    _visit(value, found)
    return found


def _visit(value: object, found: Found) -> None:
    if type(value) is str:
        if "{{" in value:
            found.append(([], value))
    elif type(value) is dict:
        for key, item in value.items():
            if type(item) is str and "{{" not in item and "{{" not in key:
                continue
            before = len(found)
            if "{{" in key:
                found.append(([], key))
            _visit(item, found)
            for path, _ in found[before:]:
                path.append(key)
    elif type(value) is list:
        for index, item in enumerate(value):
            before = len(found)
            _visit(item, found)
            for path, _ in found[before:]:
                path.append(index)


def check_tags(report: Report, where: Where, value: object, scope: Scope, said: str, values: Values) -> None:
    """Every tag in `value` has to resolve. said: how Argo's message begins.

    values: what is filled in before Argo looks; it matters for tags in tags.
    """
    for reversed_path, text in tagged(value):
        for tag, needle in unresolved(text, scope, values):
            closed = tag.endswith("}}")
            fix = _fix(tag.strip("{} "), scope) if closed else "close the tag with }}"
            problem = f"{said} failed to resolve {shown(tag)}{'' if closed else '}}'}"
            report.error("NBF130", where.at(*reversed(reversed_path)), problem, fix, needle=needle)


def unresolved(text: str, scope: Scope, values: Values) -> list[tuple[str, str]]:
    """The tags of a text that resolve to nothing, braces included, and where to look for them in the text.

    A tag whose value is known and holds tags itself stands for these.
    """
    if text.count("{{") > 1 and any("{{" in match.group(1) for match in TAG.finditer(text)):
        text = fill(text, values)
    found = []
    end = 0
    for match in TAG.finditer(text):
        inner, end = match.group(1), match.end()
        name = inner.strip()
        if inner.startswith("="):
            continue
        value = values.get(name)
        if value and "{{" in value:
            rest = {other: known for other, known in values.items() if other != name}
            found += [(tag, match.group()) for tag, _ in unresolved(value, scope, rest)]
        elif is_linted(name) and not scope.resolves(name):
            found.append((match.group(), match.group()))
    rest_start = text.find("{{", end)
    if rest_start >= 0 and text[rest_start + 2 :].lstrip().startswith(LINTED_PREFIXES):
        found.append((text[rest_start:], text[rest_start:]))
    return found


def _fix(name: str, scope: Scope) -> str:
    first, *rest = name.split(".")
    variable = find_variable(name)
    if variable is not None and variable.name == name:
        return f"it is only known {' or '.join(variable.where)}"
    if first == "tasks" and rest[-1] == "status":
        return f"let the task depend on {rest[0]}: it knows how those ended that it waited for"
    close = did_you_mean(name, [other for other in scope.listed() if other.count(".") == len(rest)])
    if close:
        return close
    return {
        "item": "the step or task has no loop that gives this item",
        "inputs": "declare it in the template's `inputs`",
        "steps": "only steps before this one, in this template, have outputs here",
        "tasks": "only tasks of this template that this one waits for have outputs here",
        "workflow": "declare it in `spec.arguments`, or check the name",
    }.get(first, "check the name")
