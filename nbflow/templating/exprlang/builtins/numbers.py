"""Functions on numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from nbflow.templating.exprlang.operators import less, more, negate, plain_int, plain_number
from nbflow.templating.golang.moments import Duration
from nbflow.templating.golang.values import Fault, go_type, wrap_int


def absolute(value: object) -> object:
    if not plain_number(value):
        raise Fault(f"invalid argument for abs (type {go_type(value)})")
    return negate(value) if value < 0 else value  # type: ignore[operator]


def _rounding(name: str, compute: Callable[[float], float]) -> Callable[[object], float]:
    def rounding(value: object) -> float:
        if not isinstance(value, int | float) or not plain_number(value):
            raise Fault(f"invalid argument for {name} (type {go_type(value)})")
        number = float(value)
        return number if not math.isfinite(number) else math.copysign(compute(number), number)

    return rounding


def round_half_away(number: float) -> float:
    """To the nearest integer, halves away from zero."""
    if abs(number) >= 1 << 52:
        return number
    whole = float(math.floor(abs(number)))
    if abs(number) - whole >= 0.5:
        whole += 1
    return math.copysign(whole, number)


_DEEPEST: Final = 200
"""Lists in lists."""


def _flat(arguments: Iterable[object], depth: int = 0) -> Iterator[object]:
    if depth > _DEEPEST:
        raise Fault("recursion depth exceeded")
    for argument in arguments:
        if isinstance(argument, list):
            yield from _flat(argument, depth + 1)
        else:
            yield argument


def _extreme(name: str, beaten_by: Callable[[object, object], bool]) -> Callable[..., object]:
    def extreme(*arguments: object) -> object:
        if len(arguments) == 1 and not isinstance(arguments[0], list) and not plain_number(arguments[0]):
            return arguments[0]
        best: object = None
        for number in _flat(arguments):
            if not plain_number(number) and not any(number is argument for argument in arguments):
                raise Fault(f"invalid argument for {name} (type {go_type(number)})")
            if best is None or beaten_by(best, number):
                best = number
        return best

    return extreme


def mean(*arguments: object) -> float:
    count, total = _total(arguments, 0)
    return total / count if count else 0.0


def _total(arguments: Iterable[object], depth: int) -> tuple[int, float]:
    """How many numbers there are, and their sum: lists are summed by themselves, as rounding shows."""
    if depth > _DEEPEST:
        raise Fault("recursion depth exceeded")
    count, total = 0, 0.0
    for argument in arguments:
        if isinstance(argument, list):
            more, part = _total(argument, depth + 1)
        else:
            more, part = 1, _number("mean", argument)
        count, total = count + more, total + part
    return count, total


def _number(name: str, value: object) -> float:
    """A number, or the nanoseconds of a duration."""
    if isinstance(value, Duration):
        return float(value.nanoseconds)
    if not plain_number(value):
        raise Fault(f"invalid argument for {name} (type {go_type(value)})")
    return float(value)  # type: ignore[arg-type]


def median(*arguments: object) -> float:
    values = sorted(_number("median", value) for value in _flat(arguments))
    if not values:
        return 0.0
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def _bits(name: str, compute: Callable[[int, int], int]) -> Callable[[object, object], int]:
    def operation(left: object, right: object) -> int:
        return wrap_int(compute(_integer(name, left), _integer(name, right)))

    return operation


def _integer(name: str, value: object) -> int:
    if not isinstance(value, int) or not plain_int(value):
        raise Fault(f"cannot use {go_type(value)} as argument (type int) to call {name}")
    return value


def _shift(compute: Callable[[int, int], int]) -> Callable[[int, int], int]:
    def shift(value: int, count: int) -> int:
        if count < 0:
            raise Fault(f"invalid operation: negative shift count {count} (type int)")
        return compute(value, min(count, 64))

    return shift


FUNCTIONS: Final[dict[str, Callable[..., object]]] = {
    "abs": absolute,
    "ceil": _rounding("ceil", lambda x: float(math.ceil(x))),
    "floor": _rounding("floor", lambda x: float(math.floor(x))),
    "round": _rounding("round", round_half_away),
    "max": _extreme("max", less),
    "min": _extreme("min", more),
    "mean": mean,
    "median": median,
    "bitand": _bits("bitand", lambda x, y: x & y),
    "bitor": _bits("bitor", lambda x, y: x | y),
    "bitxor": _bits("bitxor", lambda x, y: x ^ y),
    "bitnand": _bits("bitnand", lambda x, y: x & ~y),
    "bitshl": _bits("bitshl", _shift(lambda x, n: x << n)),
    "bitshr": _bits("bitshr", _shift(lambda x, n: x >> n)),
    "bitushr": _bits("bitushr", _shift(lambda x, n: (x & ((1 << 64) - 1)) >> n)),
    "bitnot": lambda value: ~_integer("bitnot", value),
}
