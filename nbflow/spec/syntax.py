"""What the YAML parser's complaint means, and what the writer most likely meant."""

from __future__ import annotations

import re

import yaml

from nbflow.spec.build import MAX_DEPTH, Fault


def explain(error: yaml.YAMLError, text: str) -> Fault:
    """The parser's error in plain words, at the character that is at fault."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return Fault(0, f"the YAML is malformed: {error}")
    mark = error.problem_mark or error.context_mark
    offset = min(mark.index, len(text)) if mark is not None else 0
    problem = error.problem or error.context or "the YAML is malformed"
    if "maximum nesting depth" in problem:  # libyaml from 0.2.6 on has a limit of its own, beyond ours
        return Fault(offset, f"nested too deeply: more than {MAX_DEPTH} levels")
    context = _context(error)
    place, fix = _advice(problem, text, offset)
    return Fault(place, f"the YAML is malformed: {problem}{context}", fix)


def _context(error: yaml.MarkedYAMLError) -> str:
    """What the parser was reading, and how far up it began."""
    mark = error.context_mark
    if not error.context or mark is None:
        return ""
    line, other = mark.line, error.problem_mark.line if error.problem_mark is not None else mark.line
    return f" {error.context}" + (
        f" that begins {_count(other - line, 'line')} before" if line != other else ""
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _advice(problem: str, text: str, offset: int) -> tuple[int, str]:
    """Where the writer should look, and what to do there."""
    start, line = _line(text, offset)
    previous_start, previous = _line(text, start - 1) if start else (0, "")
    for at, candidate in ((start, line), (previous_start, previous)):
        indent = re.match(r"[ \t]*", candidate)
        if indent and "\t" in indent.group():
            return at + candidate.index("\t"), "indent with blanks: YAML does not allow tabs"
    for at, candidate in ((start, line), (previous_start, previous)):
        bare = re.search(r"(?:[:\-]|^)\s+(\{\{.*)$", candidate)
        if bare:
            return at + bare.start(1), f"quote a value that begins with {{{{: '{bare.group(1).strip()}'"
    if "mapping values are not allowed" in problem:
        return offset, _second_colon(line, previous)
    if "could not find expected ':'" in problem:
        at = previous_start if previous and ":" not in previous else start
        return at + _indent(text[at:]), "a field is written `name: value`, with a colon and a blank"
    if "cannot start any token" in problem:
        return offset, f"quote the value: no plain text begins with `{text[offset : offset + 1]}`"
    advice = next((fix for words, fix in _FIXES if words in problem), "")
    return offset, advice.format(here=_count(_indent(line), "blank"), before=_indent(previous))


_INDENTATION = "check the indentation: this line has {here}, the one before {before}"
_FIXES = (
    ("anchor", "quote a value that begins with * or &"),
    ("alphabetic or numeric character", "quote a value that begins with * or &"),
    ("expected key", _INDENTATION),
    ("expected '-'", _INDENTATION),
    ("expected <block end>", _INDENTATION),
    ("quoted scalar", "close the quote that was opened before"),
    ("end of stream", "close the quote, bracket or brace that was opened before"),
    ("escape character", "write the text in single quotes, where \\ has no meaning"),
    ("expected ',' or", "close the bracket or brace, or quote the text"),
)
"""Words of the parser -> what mends it."""


def _second_colon(line: str, previous: str) -> str:
    if len(re.findall(r":\s", line + " ")) > 1:
        return "quote the value: it holds a colon and a blank"
    if previous.strip() and not previous.rstrip().endswith(":") and _indent(line) > _indent(previous):
        here = _count(_indent(line), "blank")
        return _INDENTATION.format(here=here, before=_indent(previous))
    return "check the indentation, and that the line before is complete"


def _line(text: str, offset: int) -> tuple[int, str]:
    """The line that holds a character: where it begins, and its text; at the end, the last one with words."""
    offset = max(0, min(offset, len(text.rstrip())))
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return start, text[start : end if end >= 0 else len(text)]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
