"""Expressions: what {{=...}}, hooks, retry conditions and `valueFrom.expression` mean.

The language is expr-lang with what Argo adds: asInt, asFloat, toJson, jsonpath and sprig. An
expression is compiled once; evaluating it takes the scope, and the time and seed as a `Clock`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, TypeVar

from nbflow.templating.exprlang import syntax as tree
from nbflow.templating.exprlang.builtins.conversions import to_float_number, to_integer
from nbflow.templating.exprlang.checker import Shape, check, shape_of
from nbflow.templating.exprlang.compiler import compile_tree
from nbflow.templating.exprlang.frame import Clock, Code, Frame
from nbflow.templating.exprlang.identifiers import required_names
from nbflow.templating.exprlang.names import BUILTIN_NAMES
from nbflow.templating.exprlang.parser import parse
from nbflow.templating.failures import ExpressionError
from nbflow.templating.golang.jsontext import marshal
from nbflow.templating.golang.moments import Duration, Location, Time
from nbflow.templating.golang.values import Fault, Function
from nbflow.templating.jsonpath import query_text
from nbflow.templating.scope import Scope, Value, expand, has_variable
from nbflow.templating.sprig import FUNCTIONS as SPRIG

T = TypeVar("T")

__all__ = ["Clock", "Expression", "compile_expression", "evaluate_bool"]

ARGO: Final[dict[str, object]] = {
    "asInt": Function("asInt", to_integer, "func(interface {}) interface {}"),
    "asFloat": Function("asFloat", to_float_number, "func(interface {}) interface {}"),
    "jsonpath": Function("jsonpath", query_text, "func(string, string) interface {}"),
    "toJson": Function("toJson", marshal, "func(interface {}) string"),
    "sprig": SPRIG,
}

_TOO_DEEP: Final = "the expression or its value is nested too deeply"

LATE: Final = frozenset(
    (
        "item", "retries", "lastRetry.exitCode", "lastRetry.status", "lastRetry.duration", "lastRetry.message",
        "workflow.status", "workflow.failures",
    )
)  # fmt: skip
"""Variables that get their value later than others; an expression that reads one waits for it."""


class Expression:
    """A compiled expression.

    source: its text. identifiers: the dotted variables it cannot do without, in the order of the
    text; what `??` or `?.` guards is not among them, except for its first part.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._tree = _guarded(lambda: parse(source))
        self.identifiers: tuple[str, ...] = _guarded(lambda: required_names(self._tree))
        names = {
            n.name for n in _guarded(lambda: list(tree.walk(self._tree))) if isinstance(n, tree.Identifier)
        }
        self._reads_all = "$env" in names
        called = {n.name for n in tree.walk(self._tree) if isinstance(n, tree.Builtin)}
        self._roots = tuple(sorted(names | called))
        self._codes: dict[tuple[object, ...], Code] = {}

    def evaluate(self, scope: Scope, clock: Clock) -> Value:
        """The value, which is nil or JSON-like. Raises ExpressionError."""
        return simplify(self.run(scope, clock))

    def run(
        self, scope: Scope, clock: Clock, functions: Mapping[str, object] = ARGO, salt: str = ""
    ) -> object:
        """As `evaluate`, with times, durations and functions as the evaluator has them.

        functions: what there is beside the scope and the functions of the language. salt: makes random
        functions differ from those of another place with the same expression.
        """
        env = self.environment(scope, functions)
        code = self._code(env)
        try:
            return code(Frame(env, clock, salt=f"{self.source}@{salt}"))
        except Fault as fault:
            raise ExpressionError(str(fault)) from None
        except RecursionError:
            raise ExpressionError(_TOO_DEEP) from None
        except (OverflowError, ValueError, TypeError, MemoryError) as error:
            raise ExpressionError(f"the expression {self.source!r} failed: {error}") from None

    def environment(self, scope: Scope, functions: Mapping[str, object] = ARGO) -> dict[str, object]:
        """The variables and functions that the expression sees (those it does not name may lack)."""
        env = expand(scope, None if self._reads_all else self._roots)
        env.update(functions)
        return env

    def missing(self, scope: Scope) -> tuple[str, ...]:
        """Those of `identifiers` that the scope lacks; one that is there and absent is not missing."""
        env = self.environment(scope)
        return tuple(name for name in self.identifiers if not has_variable(env, name))

    def check(self, scope: Scope) -> None:
        """Raises ExpressionError if the types in the expression cannot fit each other."""
        self._code(self.environment(scope))

    def _code(self, env: Mapping[str, object]) -> Code:
        shapes: tuple[tuple[str, Shape], ...] = tuple(
            (root, shape_of(env[root]))
            for root in (sorted(env) if self._reads_all else self._roots)
            if root in env
        )
        code = self._codes.get(shapes)
        if code is None:
            code = self._codes[shapes] = _guarded(lambda: self._compile(dict(shapes)))
        return code

    def _compile(self, shapes: Mapping[str, Shape]) -> Code:
        overridden = BUILTIN_NAMES.intersection(shapes)
        root = parse(self.source, overridden) if overridden else self._tree
        check(root, self.source, shapes)
        return compile_tree(root)


def _guarded(work: Callable[[], T]) -> T:
    """The result of `work`; what is nested too deeply for it is an error of the expression."""
    try:
        return work()
    except RecursionError:
        raise ExpressionError(_TOO_DEEP) from None


@lru_cache(maxsize=4096)
def compile_expression(source: str) -> Expression:
    """The expression of that text, compiled once. Raises ExpressionError if it does not parse."""
    return Expression(source)


def evaluate_bool(source: str, scope: Scope, clock: Clock) -> bool:
    """Whether the condition of a hook or of a retry holds. Raises ExpressionError."""
    expression = compile_expression(source)
    try:
        result = expression.run(scope, clock)
    except ExpressionError as error:
        raise ExpressionError(f"unable to evaluate expression '{source}': {error.problem}") from None
    if not isinstance(result, bool):
        raise ExpressionError(f"unable to cast expression result '{result}' to bool")
    return result


def simplify(value: object) -> Value:
    """A result of the evaluator as JSON: times as their text, durations as nanoseconds."""
    match value:
        case None | bool() | str():
            return value
        case float():
            return value
        case int():
            return int(value)
        case list():
            return [simplify(v) for v in value]
        case dict():
            return {str(k): simplify(v) for k, v in value.items()}
        case Time():
            return value.to_json()[1:-1]
        case Duration():
            return value.nanoseconds
        case bytes():
            return marshal(value)[1:-1]
        case Location():
            return {}
    raise ExpressionError("json: unsupported type: a function is no value")
