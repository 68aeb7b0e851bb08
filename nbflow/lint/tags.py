"""Tags that resolve to nothing."""

from __future__ import annotations

from nbflow.lint.report import Report, Where
from nbflow.lint.scope import LINTED, TAG, Scope, Values, fill
from nbflow.spec.similar import did_you_mean

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


def check_tags(
    report: Report,
    where: Where,
    value: object,
    scope: Scope,
    said: str,
    values: Values,
    skip: frozenset[str] = frozenset(),
) -> None:
    """Every tag in `value` has to resolve. said: how Argo's message begins.

    values: what is filled in before Argo looks (matters for tags in tags). skip: fields that are not looked at.
    """
    for reversed_path, text in tagged(value):
        if skip and reversed_path and reversed_path[-1] in skip:
            continue
        for tag in unresolved(text, scope, values):
            inner = tag[2:-2] if tag.endswith("}}") else tag[2:]
            place = where.at(*reversed(reversed_path))
            fix = _fix(inner.strip(), scope)
            report.error("NBF130", place, f"{said} failed to resolve {{{{{inner}}}}}", fix, needle=tag)


def unresolved(text: str, scope: Scope, values: Values) -> list[str]:
    """The tags of a text that resolve to nothing, braces included."""
    if text.count("{{") > 1:
        nested = any("{{" in match.group(1) for match in TAG.finditer(text))
        text = fill(text, values) if nested else text
    found = []
    end = 0
    for match in TAG.finditer(text):
        inner, end = match.group(1), match.end()
        name = inner.strip()
        if name.startswith(LINTED) and not inner.startswith("=") and not scope.resolves(name):
            found.append(match.group())
    rest = text.find("{{", end)
    if rest >= 0 and text[rest + 2 :].lstrip().startswith(LINTED):
        found.append(text[rest:])
    return found


def _fix(name: str, scope: Scope) -> str:
    close = did_you_mean(name, scope.listed())
    if close:
        return close
    first = name.split(".", 1)[0]
    return {
        "item": "the step or task has no loop that gives this item",
        "inputs": "declare it in the template's `inputs`",
        "steps": "only steps before this one, in this template, have outputs here",
        "tasks": "only tasks of this template that this one waits for have outputs here",
        "workflow": "declare it in `spec.arguments`, or check the name",
    }.get(first, "check the name")
