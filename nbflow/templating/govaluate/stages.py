"""What the stages of a condition do with their values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from nbflow.templating.exprlang.operators import divide, float_to_int, limited, power
from nbflow.templating.golang.patterns import search
from nbflow.templating.golang.text import display, to_bytes
from nbflow.templating.golang.values import Fault
from nbflow.templating.govaluate.plan import ACCESS, COMPLEMENT, INVERT, LITERAL, NEGATE, NOOP, Stage
from nbflow.templating.govaluate.tokens import Pattern

_LOGICAL: Final = "Value '{}' cannot be used with the logical operator '{}', it is not a bool"
_MODIFIER: Final = "Value '{}' cannot be used with the modifier '{}', it is not a number"
_COMPARATOR: Final = "Value '{}' cannot be used with the comparator '{}', it is not a number"
_TERNARY: Final = "Value '{}' cannot be used with the ternary operator '{}', it is not a bool"
_PREFIX: Final = "Value '{}' cannot be used with the prefix '{}'"
_UNSET: Final = object()
"""What the right side of a stage is that was not evaluated."""


def evaluate(stage: Stage) -> object:
    """The value of a plan. Raises Fault."""
    if stage.symbol == LITERAL:
        return stage.value
    if stage.symbol == ACCESS:
        raise Fault(f"No parameter '{stage.value[0]}' found.")  # type: ignore[index]
    left = evaluate(stage.left) if stage.left is not None else None
    shortcut = _SHORTCUTS.get(stage.symbol)
    if shortcut and (known := shortcut(left)) is not _UNSET:
        return known
    right = evaluate(stage.right) if stage.right is not None else None
    if stage.symbol == "?" and left is False:
        right = None
    return _OPERATIONS[stage.symbol](left, right)


_SHORTCUTS: Final[dict[str, Callable[[object], object]]] = {
    "&&": lambda left: False if left is False else _UNSET,
    "||": lambda left: True if left is True else _UNSET,
    "??": lambda left: _UNSET if left is None else left,
    ":": lambda left: _UNSET if left is None else left,
    "?": lambda left: None if left is False else _UNSET,
}


def _bool(value: object, message: str, symbol: str) -> bool:
    if not isinstance(value, bool):
        raise Fault(message.format(display(value), symbol))
    return value


def _float(value: object, message: str, symbol: str) -> float:
    if not isinstance(value, float):
        raise Fault(message.format(display(value), symbol))
    return value


def _numeric(symbol: str, compute: Callable[[float, float], float]) -> Callable[[object, object], object]:
    return lambda left, right: compute(_float(left, _MODIFIER, symbol), _float(right, _MODIFIER, symbol))


def _integral(symbol: str, compute: Callable[[int, int], int]) -> Callable[[object, object], object]:
    return _numeric(symbol, lambda left, right: float(compute(float_to_int(left), float_to_int(right))))


def _shift(compute: Callable[[int, int], int]) -> Callable[[int, int], int]:
    return lambda value, count: compute(value % (1 << 64), min(count % (1 << 64), 64)) % (1 << 64)


def _compared(
    symbol: str, floats: Callable[[float, float], bool], texts: Callable[[bytes, bytes], bool]
) -> Callable[[object, object], object]:
    def compare(left: object, right: object) -> object:
        if isinstance(left, float) and isinstance(right, float):
            return floats(left, right)
        if isinstance(left, str) and isinstance(right, str):
            return texts(to_bytes(left), to_bytes(right))
        raise Fault(_COMPARATOR.format(display(left), symbol))

    return compare


def _equal(left: object, right: object) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return type(left) is type(right) and left == right


def _add(left: object, right: object) -> object:
    if isinstance(left, float) and isinstance(right, float):
        return left + right
    if not isinstance(left, str) and not isinstance(right, str):
        raise Fault(_MODIFIER.format(display(left), "+"))
    return limited(display(left) + display(right))


def _remainder(left: float, right: float) -> float:
    if right == 0 or math.isinf(left):
        return math.nan
    return math.fmod(left, right)


def _within(left: object, right: object) -> bool:
    if not isinstance(right, list):
        raise Fault(_COMPARATOR.format(display(right), "in"))
    return any(type(left) is type(value) and left == value for value in right)


def _found(symbol: str) -> Callable[[object, object], bool]:
    def found(left: object, right: object) -> bool:
        if not isinstance(left, str) or not isinstance(right, str | Pattern):
            raise Fault(_COMPARATOR.format(display(left if not isinstance(left, str) else right), symbol))
        return search(str(right), left)

    return found


_MATCHES: Final = _found("=~")
_LACKS: Final = _found("!~")


def _separate(left: object, right: object) -> list[object]:
    return [*left, right] if isinstance(left, list) else [left, right]


_OPERATIONS: Final[dict[str, Callable[[object, object], object]]] = {
    NOOP: lambda _, right: right,
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _compared("<", lambda a, b: a < b, lambda a, b: a < b),
    "<=": _compared("<=", lambda a, b: a <= b, lambda a, b: a <= b),
    ">": _compared(">", lambda a, b: a > b, lambda a, b: a > b),
    ">=": _compared(">=", lambda a, b: a >= b, lambda a, b: a >= b),
    "=~": _MATCHES,
    "!~": lambda left, right: not _LACKS(left, right),
    "in": _within,
    "&&": lambda left, right: _bool(left, _LOGICAL, "&&") and _bool(right, _LOGICAL, "&&"),
    "||": lambda left, right: _bool(left, _LOGICAL, "||") or _bool(right, _LOGICAL, "||"),
    "+": _add,
    "-": _numeric("-", lambda a, b: a - b),
    "*": _numeric("*", lambda a, b: a * b),
    "/": _numeric("/", divide),
    "%": _numeric("%", _remainder),
    "**": _numeric("**", power),
    "&": _integral("&", lambda a, b: a & b),
    "|": _integral("|", lambda a, b: a | b),
    "^": _integral("^", lambda a, b: a ^ b),
    "<<": _integral("<<", _shift(lambda a, n: a << n)),
    ">>": _integral(">>", _shift(lambda a, n: a >> n)),
    NEGATE: lambda _, right: -_float(right, _PREFIX, "-"),
    INVERT: lambda _, right: not _bool(right, _PREFIX, "!"),
    COMPLEMENT: lambda _, right: float(~float_to_int(_float(right, _PREFIX, "~"))),
    "?": lambda left, right: right if _bool(left, _TERNARY, "?") else None,
    ":": lambda left, right: right if left is None else left,
    "??": lambda left, right: right if left is None else left,
    ",": _separate,
}
