"""The ways in which a tag, an expression or a loop can be wrong."""

from __future__ import annotations

from nbflow.errors import NbflowError


class TemplateError(NbflowError):
    """Some text of a template has no value. The node that needs it cannot start."""


class TemplateSyntaxError(TemplateError):
    """A tag was opened and never closed. offset: where it opens, in characters."""

    def __init__(self, problem: str, *, offset: int, fix: str = "") -> None:
        super().__init__(problem, fix=fix)
        self.offset = offset


class UnresolvedTag(TemplateError):
    """A tag names something that is not known (yet). Argo looks again later.

    name: the variable that is missing.
    """

    def __init__(self, problem: str, *, name: str, fix: str = "") -> None:
        super().__init__(problem, fix=fix)
        self.name = name


class AbsentOptional(TemplateError):
    """A tag names the output of a node that was skipped or omitted: it will never have a value."""


class ExpressionError(TemplateError):
    """An expression does not parse, has the wrong types, or fails when it is evaluated."""


class WhenError(TemplateError):
    """A `when` condition does not parse, or is neither true nor false."""


class DependsError(TemplateError):
    """A `depends` expression does not parse or names a result that does not exist."""


class LoopError(TemplateError):
    """withItems, withParam or withSequence does not yield a list."""
