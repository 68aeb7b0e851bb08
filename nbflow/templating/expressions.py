"""Expressions: what {{=...}}, hooks, retry conditions and `valueFrom.expression` mean.

The language is expr-lang with what Argo adds: asInt, asFloat, toJson, jsonpath and sprig. An
expression is compiled once; evaluating it takes the scope, and the time and seed as a `Clock`.
The language itself (`evaluation`) is loaded with the first expression: most workflows have none.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from nbflow.templating.exprlang.frame import Clock
from nbflow.templating.failures import ExpressionError
from nbflow.templating.scope import LATE, Scope

if TYPE_CHECKING:
    from nbflow.templating.evaluation import Expression

__all__ = ["LATE", "Clock", "compile_expression", "evaluate_bool"]


@lru_cache(maxsize=4096)
def compile_expression(source: str) -> Expression:
    """The expression of that text, compiled once. Raises ExpressionError if it does not parse."""
    from nbflow.templating.evaluation import Expression

    return Expression(source)


def evaluate_bool(source: str, scope: Scope, clock: Clock) -> bool:
    """Whether the condition of a hook or of a retry holds. Raises ExpressionError."""
    expression = compile_expression(source)
    expression.check(scope)  # what cannot be compiled is told as it is
    try:
        result = expression.run(scope, clock)
    except ExpressionError as error:
        raise ExpressionError(f"unable to evaluate expression '{source}': {error.problem}") from None
    if not isinstance(result, bool):
        raise ExpressionError(f"unable to cast expression result '{result}' to bool")
    return result
