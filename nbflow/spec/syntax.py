"""What the YAML parser's complaint means, and what the writer most likely meant."""

from __future__ import annotations

import re

import yaml
from yaml.error import Mark

from nbflow.spec.build import Fault


def explain(error: yaml.YAMLError, text: str) -> Fault:
    """The parser's error in plain words, at the character that is at fault."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return Fault(0, f"the YAML is malformed: {error}")
    mark = error.problem_mark or error.context_mark
    offset = min(mark.index, len(text)) if isinstance(mark, Mark) else 0
    problem = error.problem or error.context or "the YAML is malformed"
    context = _context(error, text)
    place, fix = _advice(problem, text, offset)
    return Fault(place, f"the YAML is malformed: {problem}{context}", fix)


def _context(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.context_mark
    if not error.context or mark is None or mark is error.problem_mark:
        return ""
    line = text.count("\n", 0, min(mark.index, len(text))) + 1
    return f" {error.context} that begins in line {line} of the document"


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
    if "cannot start any token" in problem:
        sign = text[offset : offset + 1]
        return offset, f"quote the value: no plain text begins with `{sign}`"
    if "mapping values are not allowed" in problem:
        return offset, _second_colon(line, previous)
    if "could not find expected ':'" in problem:
        at = previous_start if previous and ":" not in previous else start
        return at + _indent(text[at:]), "a field is written `name: value`, with a colon and a blank"
    if "anchor" in problem or "alphabetic or numeric character" in problem:
        return offset, "quote a value that begins with * or &"
    if "expected key" in problem or "expected '-'" in problem or "expected <block end>" in problem:
        return (
            offset,
            f"check the indentation: this line has {_indent(line)} blanks, the one before {_indent(previous)}",
        )
    if "quoted scalar" in problem or "end of stream" in problem:
        return offset, "close the quote, bracket or brace that was opened before"
    if "escape character" in problem:
        return offset, "write the text in single quotes, where \\ has no meaning"
    if "expected ',' or" in problem:
        return offset, "close the bracket or brace, or quote the text"
    return offset, ""


def _second_colon(line: str, previous: str) -> str:
    if len(re.findall(r":\s", line + " ")) > 1:
        return "quote the value: it holds a colon and a blank"
    if previous.strip() and not previous.rstrip().endswith(":") and _indent(line) > _indent(previous):
        return (
            f"check the indentation: this line has {_indent(line)} blanks, the one before {_indent(previous)}"
        )
    return "check the indentation, and that the line before is complete"


def _line(text: str, offset: int) -> tuple[int, str]:
    """The line that holds a character: where it begins, and its text. At the end of the text, the last one with words."""
    offset = max(0, min(offset, len(text.rstrip())))
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return start, text[start : end if end >= 0 else len(text)]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
