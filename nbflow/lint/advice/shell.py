"""Shell scripts that break when the value of a tag holds a quote.

Argo writes values into the text of a script before a shell reads it. Only tags whose values are known to hold
quotes are told of: those that are JSON, and those that have such a value in the manifest.
"""

from __future__ import annotations

import re
from itertools import pairwise

from nbflow.lint.filling import tags
from nbflow.lint.objects import Holder, Json, Template, items, mapping, text
from nbflow.lint.report import Report, Where

_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
_JSON = frozenset(
    {
        "inputs.parameters", "workflow.parameters", "workflow.parameters.json", "workflow.failures",
        "workflow.labels", "workflow.labels.json", "workflow.annotations", "workflow.annotations.json",
    }
)  # fmt: skip
"""Variables whose value is JSON, so that it holds double quotes."""
_HEREDOC = re.compile(r"<<-?\s*['\"\\]?\w")


def advise_shell(report: Report, holder: Holder, templates: list[Template]) -> None:
    """The scripts, and what containers hand to `sh -c`."""
    known = _values(items(mapping(holder.spec, "arguments"), "parameters"), "workflow")
    for template in templates:
        values: dict[str, str] | None = None
        for where, source in _sources(template):
            if "{{" in source:
                if values is None:
                    values = {**known, **_values(template.parameters("inputs"), "inputs")}
                _advise_source(report, where, source, values)


def _values(parameters: list[Json], scope: str) -> dict[str, str]:
    """Variable -> the value that the manifest gives it."""
    found = {}
    for parameter in parameters:
        value = parameter.get("value", parameter.get("default"))
        if isinstance(value, str) and "{{" not in value:
            found[f"{scope}.parameters.{text(parameter, 'name')}"] = value
    return found


def _is_shell(command: object) -> bool:
    first = command[0] if isinstance(command, list) and command else ""
    return isinstance(first, str) and first.rpartition("/")[2] in _SHELLS


def _sources(template: Template) -> list[tuple[Where, str]]:
    """What a shell reads of a template."""
    script = template.data.get("script")
    if isinstance(script, dict) and _is_shell(script.get("command")):
        return [(template.where.at("script", "source"), text(script, "source"))]
    container = template.data.get("container")
    return _commands(template.where.at("container"), container) if isinstance(container, dict) else []


def _commands(where: Where, container: Json) -> list[tuple[Where, str]]:
    """What follows `-c`, in the command or in the arguments."""
    command, args = container.get("command"), container.get("args")
    if not isinstance(command, list) or not _is_shell(command):
        return []
    words = [(where.at("command", index), word) for index, word in enumerate(command)]
    words += [
        (where.at("args", index), word) for index, word in enumerate(args if isinstance(args, list) else [])
    ]
    for (_, before), (place, word) in pairwise(words):
        if isinstance(before, str) and re.fullmatch(r"-\w*c", before) and isinstance(word, str):
            return [(place, word)]
    return []


def _advise_source(report: Report, where: Where, source: str, values: dict[str, str]) -> None:
    heredoc = _HEREDOC.search(source)
    end = heredoc.start() if heredoc else len(source)  # what quotes mean behind it is not followed
    quote, position = "", 0
    for start, stop in tags(source):
        if start >= end:
            return
        quote = _quote_at(source[position:start], quote)
        position = stop
        name = source[start + 2 : stop - 2].strip()
        value = '["x"]' if name in _JSON else values.get(name, "")
        if _breaks(value, quote) and not (name in _JSON and quote == "'"):
            said = {"'": "in single quotes", '"': "in double quotes"}.get(quote, "without quotes")
            problem = f"the value of {{{{{name}}}}} holds quotes, and the shell reads it {said}"
            fix = 'give it to the script as an environment variable (`env:`), and write "$NAME" there'
            report.warning("NBF226", where, problem, fix, needle=source[start:stop])


def _breaks(value: str, quote: str) -> bool:
    """Whether the shell would read something else than the value."""
    if quote == "'":
        return "'" in value
    return '"' in value if quote else '"' in value or "'" in value


def _quote_at(part: str, quote: str) -> str:
    """The quote that is open after a part of a script; comments do not count."""
    index = 0
    while index < len(part):
        char = part[index]
        if char == "\\" and quote != "'":
            index += 2
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in {"'", '"'}:
            quote = char
        elif char == "#" and (index == 0 or part[index - 1].isspace()):
            index = part.find("\n", index)
            if index < 0:
                break
        index += 1
    return quote
