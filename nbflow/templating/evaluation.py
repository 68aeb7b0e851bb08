"""An expression from its text to its value: expr-lang with what Argo adds (see `expressions`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final, TypeVar

from nbflow.templating.exprlang.builtins.conversions import to_float_number, to_integer
from nbflow.templating.exprlang.checker import Shape, check, shape_of
from nbflow.templating.exprlang.compiler import compile_tree
from nbflow.templating.exprlang.frame import Clock, Code, Frame
from nbflow.templating.exprlang.identifiers import names_read, required_names
from nbflow.templating.exprlang.names import BUILTIN_NAMES
from nbflow.templating.exprlang.parser import parse
from nbflow.templating.failures import ExpressionError
from nbflow.templating.golang.jsontext import marshal
from nbflow.templating.golang.moments import Duration, Location, Time
from nbflow.templating.golang.values import Fault, Function
from nbflow.templating.scope import Names, Scope, Value, expand, has_variable

T = TypeVar("T")

ARGO: Final = ("asFloat", "asInt", "jsonpath", "sprig", "toJson")
"""What Argo adds to the language; a variable of that name is hidden by it."""


@cache
def _argo(name: str) -> object:
    """One of these. sprig and JSONPath are loaded when an expression first names them."""
    if name == "sprig":
        from nbflow.templating.sprig import FUNCTIONS

        return FUNCTIONS
    if name == "jsonpath":
        from nbflow.templating.jsonpath import query_text

        return Function(name, query_text, "func(string, string) interface {}")
    if name == "toJson":
        return Function(name, marshal, "func(interface {}) string")
    convert = to_integer if name == "asInt" else to_float_number
    return Function(name, convert, "func(interface {}) interface {}")


_TOO_DEEP: Final = "the expression or its value is nested too deeply"


class Expression:
    """A compiled expression.

    source: its text. identifiers: the dotted variables it cannot do without, in the order of the
    text; what `??` or `?.` guards is not among them, except for its first part.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._tree = _guarded(lambda: parse(source))
        self.identifiers: tuple[str, ...] = _guarded(lambda: required_names(self._tree))
        read = _guarded(lambda: names_read(self._tree))
        self._roots = tuple(sorted({name.partition(".")[0] for name in read}))
        self._reads_all = "$env" in self._roots
        self._names = None if self._reads_all else Names(read)
        self._functions = tuple(name for name in ARGO if self._reads_all or name in self._roots)
        self._codes: dict[tuple[Shape | None, ...], Code] = {}
        self._last: tuple[tuple[Shape | None, ...], Code] | None = None

    def evaluate(self, scope: Scope, clock: Clock) -> Value:
        """The value, which is nil or JSON-like. Raises ExpressionError."""
        return simplify(self.run(scope, clock))

    def run(self, scope: Scope, clock: Clock, functions: Sequence[str] = ARGO) -> object:
        """As `evaluate`, with times, durations and functions as the evaluator has them.

        functions: of Argo's, those that there are.
        """
        return self.run_in(self.environment(scope, functions), clock)

    def run_in(self, env: dict[str, object], clock: Clock, salt: str = "") -> object:
        """The same in an environment. salt: makes random functions differ from those of other places."""
        code = self._code(env)
        try:
            return code(Frame(env, clock, (self.source, salt)))
        except Fault as fault:
            raise ExpressionError(str(fault)) from None
        except RecursionError:
            raise ExpressionError(_TOO_DEEP) from None
        except (OverflowError, ValueError, TypeError, MemoryError) as error:
            raise ExpressionError(f"the expression {self.source!r} failed: {error}") from None

    def environment(self, scope: Scope, functions: Sequence[str] = ARGO) -> dict[str, object]:
        """The variables and functions that the expression sees (those it does not name may lack)."""
        env = expand(scope, self._names)
        for name in self._functions:
            if functions is ARGO or name in functions:
                env[name] = _argo(name)
        return env

    def missing(self, scope: Scope) -> tuple[str, ...]:
        """Those of `identifiers` that the scope lacks; one that is there and absent is not missing."""
        return self.missing_in(self.environment(scope))

    def missing_in(self, env: Mapping[str, object]) -> tuple[str, ...]:
        """The same for an environment."""
        return tuple(name for name in self.identifiers if not has_variable(env, name))

    def check(self, scope: Scope) -> None:
        """Raises ExpressionError if the types in the expression cannot fit each other."""
        self._code(self.environment(scope))

    def _code(self, env: Mapping[str, object]) -> Code:
        if self._reads_all:
            return _guarded(lambda: self._compile({name: shape_of(value) for name, value in env.items()}))
        roots = self._roots
        shapes = tuple([shape_of(env[root]) if root in env else None for root in roots])
        if self._last is not None and self._last[0] == shapes:
            return self._last[1]
        code = self._codes.get(shapes)
        if code is None:
            known = {root: shape for root, shape in zip(roots, shapes, strict=True) if shape is not None}
            code = self._codes[shapes] = _guarded(lambda: self._compile(known))
        self._last = (shapes, code)
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
