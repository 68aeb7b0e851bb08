"""The text of an expression and errors that point into it."""

from __future__ import annotations

from nbflow.templating.failures import ExpressionError


def error_at(source: str, offset: int, problem: str) -> ExpressionError:
    """An error that shows line and column of `offset` and the line with a caret under it."""
    before = source[:offset]
    line_number = before.count("\n") + 1
    line_start = before.rfind("\n") + 1
    line_end = source.find("\n", line_start)
    line = source[line_start : len(source) if line_end < 0 else line_end]
    if not line:
        return ExpressionError(problem)
    column = min(offset, len(source)) - line_start
    shown = line.replace("\t", " ")
    return ExpressionError(f"{problem} ({line_number}:{column + 1})\n | {shown}\n | {'.' * column}^")
