"""sprig's arithmetic: integers of 64 bits, and floats through exact decimals."""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Iterable
from typing import Final

from nbflow.templating.exprlang.frame import MEMORY_BUDGET
from nbflow.templating.golang.text import display
from nbflow.templating.golang.values import Fault, Function, Int64, wrap_int
from nbflow.templating.sprig.conversions import to_float, to_int
from nbflow.templating.sprig.signature import function

_EXACT: Final = decimal.Context(prec=1400, rounding=decimal.ROUND_HALF_UP, traps=[])
_QUOTIENT_PLACES: Final = decimal.Decimal(1).scaleb(-16)


def add(*values: object) -> Int64:
    return Int64(wrap_int(sum(map(to_int, values))))


def multiply(first: object, *values: object) -> Int64:
    product = int(to_int(first))
    for value in values:
        product = wrap_int(product * to_int(value))
    return Int64(product)


def subtract(left: object, right: object) -> Int64:
    return Int64(wrap_int(to_int(left) - to_int(right)))


def divide(left: object, right: object) -> Int64:
    """Cut off towards zero."""
    dividend, divisor = _dividing(left, right)
    quotient = abs(dividend) // abs(divisor)
    return Int64(wrap_int(quotient if (dividend < 0) == (divisor < 0) else -quotient))


def remainder(left: object, right: object) -> Int64:
    dividend, divisor = _dividing(left, right)
    rest = abs(dividend) % abs(divisor)
    return Int64(-rest if dividend < 0 else rest)


def _dividing(left: object, right: object) -> tuple[int, int]:
    divisor = to_int(right)
    if divisor == 0:
        raise Fault("runtime error: integer divide by zero")
    return to_int(left), divisor


def _decimal(value: object) -> decimal.Decimal:
    number = to_float(value)
    if not math.isfinite(number):
        raise Fault(f"Cannot create a Decimal from {display(number)}")
    return decimal.Decimal(repr(number))


def _decimals(
    operate: Callable[[decimal.Decimal, decimal.Decimal], decimal.Decimal],
) -> Callable[[object, Iterable[object]], float]:
    def compute(first: object, values: Iterable[object]) -> float:
        result = _decimal(first)
        for value in values:
            result = operate(result, _decimal(value))
        return float(result) + 0.0  # a decimal has no -0

    return compute


def _quotient(left: decimal.Decimal, right: decimal.Decimal) -> decimal.Decimal:
    if not right:
        raise Fault("decimal division by 0")
    return _EXACT.quantize(_EXACT.divide(left, right), _QUOTIENT_PLACES)


_ADD, _SUBTRACT = _decimals(_EXACT.add), _decimals(_EXACT.subtract)
_MULTIPLY, _DIVIDE = _decimals(_EXACT.multiply), _decimals(_quotient)


def round_to(value: object, places: int, *limit: float) -> float:
    """Up if what is behind the point reaches the limit (0.5), else down."""
    try:
        scale = math.pow(10, float(places))
    except OverflowError:
        scale = math.inf
    scaled = scale * to_float(value)
    if not math.isfinite(scaled) or not scale:
        return math.nan
    fraction = math.modf(scaled)[0]
    whole = math.ceil(scaled) if fraction >= (limit[0] if limit else 0.5) else math.floor(scaled)
    return whole / scale


def until_step(start: int, stop: int, step: int) -> list[object]:
    forwards = stop >= start
    if (step <= 0) if forwards else (step >= 0):
        return []
    values = range(start, stop, step)
    if len(values) > MEMORY_BUDGET:
        raise Fault("memory budget exceeded")
    return list(values)


def sequence(*numbers: int) -> str:
    """As the shell's seq: last; first and last; or first, step and last."""
    if not 1 <= len(numbers) <= 3:
        return ""
    first, last = (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[-1])
    direction = -1 if last < first else 1
    step = numbers[1] if len(numbers) == 3 else direction
    if len(numbers) == 3 and direction < 0 < step:
        return ""
    return " ".join(map(display, until_step(first, last + direction, step)))


def from_octal(value: object) -> Int64:
    try:
        return Int64(int(display(value), 8))
    except ValueError:
        return Int64(0)


def _whole(rounding: Callable[[float], int]) -> Callable[[object], float]:
    def compute(value: object) -> float:
        number = to_float(value)
        return float(rounding(number)) if math.isfinite(number) else number

    return compute


def _float_extreme(pick: Callable[[Iterable[float]], float]) -> Callable[..., float]:
    def compute(*values: object) -> float:
        numbers = list(map(to_float, values))
        return math.nan if any(math.isnan(n) for n in numbers) else pick(numbers)

    return compute


def _table() -> dict[str, tuple[str, Callable[..., object]]]:
    largest: Callable[..., object] = lambda *values: max(map(to_int, values))  # noqa: E731
    return {
        "int64": ("any", to_int),
        "int": ("any", lambda value: int(to_int(value))),
        "float64": ("any", to_float),
        "seq": ("int*", sequence),
        "toDecimal": ("any", from_octal),
        "until": ("int", lambda count: until_step(0, count, -1 if count < 0 else 1)),
        "untilStep": ("int int int", until_step),
        "add1": ("any", lambda value: add(value, 1)),
        "add": ("any*", add),
        "sub": ("any any", subtract),
        "div": ("any any", divide),
        "mod": ("any any", remainder),
        "mul": ("any any*", multiply),
        "add1f": ("any", lambda value: _ADD(value, [1])),
        "addf": ("any*", lambda *values: _ADD(0, values)),
        "subf": ("any any*", lambda first, *values: _SUBTRACT(first, values)),
        "divf": ("any any*", lambda first, *values: _DIVIDE(first, values)),
        "mulf": ("any any*", lambda first, *values: _MULTIPLY(first, values)),
        "biggest": ("any any*", largest),
        "max": ("any any*", largest),
        "min": ("any any*", lambda *values: min(map(to_int, values))),
        "maxf": ("any any*", _float_extreme(max)),
        "minf": ("any any*", _float_extreme(min)),
        "ceil": ("any", _whole(math.ceil)),
        "floor": ("any", _whole(math.floor)),
        "round": ("any int float*", round_to),
    }


FUNCTIONS: Final[dict[str, Function]] = {name: function(name, *entry) for name, entry in _table().items()}
