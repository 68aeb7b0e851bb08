"""The operators of the language, on values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeAlias

from nbflow.templating.golang.moments import Duration, Month, Time, Weekday
from nbflow.templating.golang.patterns import search
from nbflow.templating.golang.text import display, from_bytes, to_bytes
from nbflow.templating.golang.values import (
    AnyKeyMap,
    Fault,
    Int64,
    NilList,
    go_type,
    is_int,
    is_number,
    wrap_int,
)

Number: TypeAlias = int | float

MAX_TEXT: Final = 16 * 1024 * 1024
"""Texts longer than this many characters are refused."""

_NAMED: Final = (Month, Weekday)


def plain_int(value: object) -> bool:
    return is_int(value) and not isinstance(value, _NAMED)


def plain_number(value: object) -> bool:
    if type(value) is int or type(value) is float:
        return True
    return is_number(value) and not isinstance(value, _NAMED)


def mismatch(operator: str, left: object, right: object) -> Fault:
    return Fault(f"invalid operation: {go_type(left)} {operator} {go_type(right)}")


def limited(text: str) -> str:
    """`text`, unless it is too long to go on with."""
    if len(text) > MAX_TEXT:
        raise Fault("memory budget exceeded")
    return text


def equal(left: object, right: object) -> bool:
    """==: numbers by value, lists and maps by content, everything else only with its own kind."""
    if left is None or right is None:
        return left is right or isinstance(left, NilList) or isinstance(right, NilList)
    if plain_number(left) and plain_number(right):
        return left == right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if type(left) is not type(right):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    return left == right


def _same(left: object, right: object) -> bool:
    return type(left) is type(right) and equal(left, right)


def _ordered(operator: str, compare: Callable[[object, object], bool]) -> Callable[[object, object], bool]:
    def ordering(left: object, right: object) -> bool:
        if plain_number(left) and plain_number(right):
            return compare(left, right)
        if isinstance(left, str) and isinstance(right, str):
            return (
                compare(left, right)
                if left.isascii() and right.isascii()
                else compare(to_bytes(left), to_bytes(right))
            )
        if isinstance(left, Time) and isinstance(right, Time):
            return compare(left.nanoseconds, right.nanoseconds)
        if isinstance(left, Duration) and isinstance(right, Duration):
            return compare(left.nanoseconds, right.nanoseconds)
        raise mismatch(operator, left, right)

    return ordering


less = _ordered("<", lambda a, b: a < b)  # type: ignore[operator]
more = _ordered(">", lambda a, b: a > b)  # type: ignore[operator]
less_or_equal = _ordered("<=", lambda a, b: a <= b)  # type: ignore[operator]
more_or_equal = _ordered(">=", lambda a, b: a >= b)  # type: ignore[operator]


def add(left: object, right: object) -> object:
    """+ of numbers, texts, times and durations."""
    if isinstance(left, str) and isinstance(right, str):
        return limited(left + right)
    if plain_number(left) and plain_number(right):
        return _number(left + right)  # type: ignore[operator]
    match left, right:
        case Time(), Duration():
            return left.add(right)
        case Duration(), Time():
            return right.add(left)
        case Duration(), Duration():
            return Duration(wrap_int(left.nanoseconds + right.nanoseconds))
    raise mismatch("+", left, right)


def subtract(left: object, right: object) -> object:
    if plain_number(left) and plain_number(right):
        return _number(left - right)  # type: ignore[operator]
    match left, right:
        case Time(), Time():
            return left.sub(right)
        case Time(), Duration():
            return left.add(Duration(-right.nanoseconds))
        case Duration(), Duration():
            return Duration(wrap_int(left.nanoseconds - right.nanoseconds))
    raise mismatch("-", left, right)


def multiply(left: object, right: object) -> object:
    if plain_number(left) and plain_number(right):
        return _number(left * right)  # type: ignore[operator]
    if isinstance(left, Duration) and (isinstance(right, Duration) or plain_number(right)):
        factor = right.nanoseconds if isinstance(right, Duration) else right
        return _scaled(left, factor)  # type: ignore[arg-type]
    if isinstance(right, Duration) and plain_number(left):
        return _scaled(right, left)  # type: ignore[arg-type]
    raise mismatch("*", left, right)


def _scaled(duration: Duration, factor: Number) -> object:
    product = duration.nanoseconds * factor
    return product if isinstance(factor, float) else Duration(wrap_int(int(product)))


def _number(number: Number) -> Number:
    return number if isinstance(number, float) else wrap_int(number)


def divide(left: object, right: object) -> float:
    """/ is always a float, and dividing by zero is infinite."""
    if not (plain_number(left) and plain_number(right)):
        raise mismatch("/", left, right)
    dividend, divisor = float(left), float(right)  # type: ignore[arg-type]
    if divisor:
        return dividend / divisor
    if dividend == 0 or dividend != dividend:
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def modulo(left: object, right: object) -> int:
    """% of integers, with the sign of the left one."""
    if not (isinstance(left, int) and isinstance(right, int) and plain_int(left) and plain_int(right)):
        raise mismatch("%", left, right)
    if right == 0:
        raise Fault("integer divide by zero")
    return (
        int(math.copysign(abs(left) % abs(right), left))
        if abs(left) < 1 << 52
        else _exact_modulo(left, right)
    )


def _exact_modulo(left: int, right: int) -> int:
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def power(left: object, right: object) -> float:
    """** and ^ are always floats."""
    base, exponent = to_float(left), to_float(right)
    try:
        if base and exponent and math.isfinite(base) and abs(exponent) < 1 << 63:
            return _power(base, exponent)
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:
        return math.inf if base == 0 else math.nan


def _power(base: float, exponent: float) -> float:
    """As Go multiplies it out: its last digit is not always the one that C's library finds."""
    if abs(exponent) == 0.5:
        return math.sqrt(base) if exponent > 0 else 1 / math.sqrt(base)
    fraction, whole = math.modf(abs(exponent))
    if fraction > 0.5:
        fraction, whole = fraction - 1, whole + 1
    result, scale = math.exp(fraction * math.log(base)) if fraction else 1.0, 0
    factor, twos = math.frexp(base)
    rest = int(whole)
    while rest:
        if abs(twos) > 1 << 12:
            scale += twos  # beyond all floats, whatever follows
            break
        if rest & 1:
            result, scale = result * factor, scale + twos
        factor, twos = factor * factor, twos * 2
        if factor < 0.5:
            factor, twos = factor * 2, twos - 1
        rest >>= 1
    return math.ldexp(1 / result, -scale) if exponent < 0 else math.ldexp(result, scale)


def to_float(value: object) -> float:
    if isinstance(value, int | float) and plain_number(value):
        return float(value)
    raise Fault(f"invalid operation: float({go_type(value)})")


def to_int(value: object) -> int:
    """The integer of a number; what is behind the point is cut off."""
    if isinstance(value, int) and plain_int(value):
        return value
    if isinstance(value, float):
        return float_to_int(value)
    raise Fault(f"invalid operation: int({go_type(value)})")


def float_to_int(value: float) -> int:
    if value != value or abs(value) >= 1 << 63:
        return -(1 << 63)
    return int(value)


def negate(value: object) -> object:
    if isinstance(value, Int64):
        return Int64(wrap_int(-value))
    if isinstance(value, int | float) and plain_number(value):
        return _number(-value)
    raise Fault(f"invalid operation: - {go_type(value)}")


def invert(value: object) -> bool:
    return not truth(value)


def truth(value: object) -> bool:
    """`value`, which has to be true or false."""
    if value is True or value is False:
        return value
    raise Fault(f"interface conversion: interface {{}} is {_or_nil(value)}, not bool")


def text(value: object) -> str:
    """`value`, which has to be a string."""
    if isinstance(value, str):
        return value
    raise Fault(f"interface conversion: interface {{}} is {_or_nil(value)}, not string")


def _or_nil(value: object) -> str:
    return "nil" if value is None else go_type(value)


def contained(needle: object, haystack: object) -> bool:
    """in: an element of a list, or a key of a map."""
    match haystack:
        case None:
            return False
        case list():
            return any(equal(item, needle) for item in haystack)
        case dict():
            return ("" if needle is None else _key(haystack, needle)) in haystack
        case bytes():
            return is_int(needle) and needle in list(haystack)
    raise Fault(f'operator "in" not defined on {go_type(haystack)}')


def _key(haystack: dict[object, object], needle: object) -> object:
    if not isinstance(haystack, AnyKeyMap) and not isinstance(needle, str):
        raise Fault(
            f"reflect.Value.MapIndex: value of type {go_type(needle)} is not assignable to type string"
        )
    if isinstance(needle, list | dict):
        raise Fault(f"runtime error: hash of unhashable type {go_type(needle)}")
    return needle


def contains(left: object, right: object) -> bool:
    if left is None or right is None:
        return False
    part, whole = text(right), text(left)
    return part in whole if part.isascii() else to_bytes(part) in to_bytes(whole)


def starts_with(left: object, right: object) -> bool:
    return left is not None and right is not None and text(left).startswith(text(right))


def ends_with(left: object, right: object) -> bool:
    return left is not None and right is not None and text(left).endswith(text(right))


def matches(left: object, right: object) -> bool:
    """matches: whether the regular expression is found anywhere."""
    if left is None or right is None:
        return False
    subject = from_bytes(left) if isinstance(left, bytes) else text(left)
    return search(text(right), subject)


def describe(value: object) -> str:
    """How messages show a value."""
    return display(value)


OPERATORS: Final[dict[str, Callable[[object, object], object]]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": less,
    ">": more,
    "<=": less_or_equal,
    ">=": more_or_equal,
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
    "**": power,
    "^": power,
    "in": contained,
    "contains": contains,
    "startsWith": starts_with,
    "endsWith": ends_with,
    "matches": matches,
}
