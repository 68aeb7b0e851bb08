"""Tags that resolve to nothing."""

from __future__ import annotations

from collections.abc import Iterator

from nbflow.lint.closing import is_closed
from nbflow.lint.filling import Values, fill, open_end, shown, tags
from nbflow.lint.report import Report, Where
from nbflow.lint.scope import Scope
from nbflow.spec.similar import did_you_mean
from nbflow.templating.catalogue import find_variable, is_linted
from nbflow.templating.scope import BLANKS

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
    *,
    alone: bool = True,
) -> None:
    """Every tag in `value` has to resolve. said: how Argo's message begins.

    values: what is filled in before Argo looks; it matters for tags in tags. alone: Argo looks at nothing else with
    it, so that a tag has to end in it.
    """
    for reversed_path, text in tagged(value):
        place = where.at(*reversed(reversed_path))
        for tag, needle in unresolved(text, scope, values):
            closed = tag.endswith("}}")
            fix = _fix(tag.strip("{} "), scope) if closed else "close the tag with }}"
            problem = f"{said} failed to resolve {shown(tag)}{'' if closed else '}}'}"
            report.error("NBF130", place, problem, fix, needle=needle)
        rest = open_end(text)
        if rest.startswith("{{=") or (
            rest and alone and not _is_linted_open(rest, scope) and not is_closed(value, text, values)
        ):
            _report_open(report, place, rest, said)


def check_closed(
    report: Report, where: Where, value: object, whole: object, said: str, values: Values
) -> None:
    """Tags of `value` that are closed in `whole`, of which it is a part, by chance, and not in itself."""
    for reversed_path, text in tagged(value):
        rest = open_end(text)
        if (
            rest
            and not rest.startswith("{{=")
            and is_closed(whole, text, values)
            and not is_closed(value, text, values)
        ):
            _report_open(report, where.at(*reversed(reversed_path)), rest, said)


def _report_open(report: Report, place: Where, rest: str, said: str) -> None:
    problem = f'{said} Cannot find end tag="}}}}" starting from "{rest[2:]}"'
    report.error("NBF131", place, problem, "close the tag with }}", needle=rest)


def _is_linted_open(rest: str, scope: Scope) -> bool:
    """Whether a tag without an end resolves to nothing, wherever Argo finds its end."""
    name = _open_name(rest)
    return is_linted(name) and not scope.resolves(name)


def _open_name(rest: str) -> str:
    """How the name of a tag without an end begins: the quotation mark behind its text belongs to it."""
    return rest[2:].lstrip(BLANKS) + '"'


def unresolved(text: str, scope: Scope, values: Values) -> list[tuple[str, str]]:
    """The tags of a text that resolve to nothing, braces included, and where to look for them in the text.

    A tag whose value is known and holds tags itself stands for these.
    """
    if any(text.find("{{", start + 2, end) > 0 for start, end in tags(text)):
        text = fill(text, values)
    found: list[tuple[str, str]] = []
    expanded: set[str] = set()
    todo = [(text, "")]
    while todo:
        part, needle = todo.pop()
        for tag in _simple_tags(part):
            name = tag[2:-2].strip(BLANKS) if tag.endswith("}}") else _open_name(tag)
            value = values.get(name)
            if value and "{{" in value:
                todo += [(value, needle or tag)] if name not in expanded else []
                expanded.add(name)
            elif is_linted(name) and not scope.resolves(name):
                found.append((tag, needle or tag))
    return found


def _simple_tags(text: str) -> Iterator[str]:
    """The tags that are no expressions, and at last one without an end."""
    for start, end in tags(text):
        if text[start + 2] != "=":
            yield text[start:end]
    rest = open_end(text)
    if rest and rest[2:3] != "=":
        yield rest


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
